"""
Your service becomes a target, and a sealed copy of it something that may be broken.
"""
