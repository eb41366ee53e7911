"""
The stack as containers of one Compose project, behind the same protocol as the local one.

`env/compose.yaml` describes what always runs; throw-away copies, trial starts and spare servers are further containers
with the same limits. Whatever is made carries the label `org.hardening-playbook.stack`; what does not is never touched.
"""
