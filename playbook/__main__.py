"""
Lets `python -m playbook` be the command line.
"""

from playbook.cli import main

if __name__ == "__main__":
    main()
