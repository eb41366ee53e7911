"""
What is made of a run's evidence: HTML, CSV, JUnit.
"""
