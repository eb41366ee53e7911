"""
Plan, session, engine: how phases are put in order and executed.
"""
