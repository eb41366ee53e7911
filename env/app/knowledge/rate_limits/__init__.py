"""
Rate limits as a file declares them: which requests count together, in which windows, and what a refusal says.
"""

from knowledge.rate_limits.mounting import mount_limits
from knowledge.rate_limits.rate_limits import RateLimits, choose_limits

__all__ = ["RateLimits", "choose_limits", "mount_limits"]
