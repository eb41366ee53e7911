"""
Owns the model: a local stand-in that answers the same words to the same prompt, takes its time, and has a price.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Completion", "LanguageModel"]

WORDS = (
    "the", "answer", "depends", "on", "which", "document", "one", "reads", "and", "when", "it", "was", "last",
    "changed", "see", "also", "guide", "policy", "before", "after",
)  # fmt: skip
CHARACTERS_PER_TOKEN = 4
PROMPT_PRICE_MICROUSD = 10
COMPLETION_PRICE_MICROUSD = 30
"""Per token: ten and thirty dollars a million."""


@dataclass(frozen=True, slots=True)
class Completion:
    """
    What the model said, and what that came to.
    """

    text: str
    tokens: int
    cost_microusd: int


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """
    Answers after `latency_s`, as one over a network would.
    """

    latency_s: float
    sleep: Callable[[float], None] = time.sleep

    def price(self, prompt: str, max_tokens: int) -> int:
        """
        Tell the most that a call can cost, in millionths of a dollar.
        """
        return _count(prompt) * PROMPT_PRICE_MICROUSD + max_tokens * COMPLETION_PRICE_MICROUSD

    def complete(self, prompt: str, max_tokens: int) -> Completion:
        """
        Answer a prompt in at most `max_tokens` tokens, one of which is a word here.
        """
        self.sleep(self.latency_s)
        digest = hashlib.sha256(prompt.encode()).digest()
        said = [WORDS[byte % len(WORDS)] for byte in digest][:max_tokens]
        cost = _count(prompt) * PROMPT_PRICE_MICROUSD + len(said) * COMPLETION_PRICE_MICROUSD
        return Completion(" ".join(said), _count(prompt) + len(said), cost)


def _count(prompt: str) -> int:
    return -(-len(prompt) // CHARACTERS_PER_TOKEN)
