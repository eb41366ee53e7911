"""
Owns the words of seeded data: several scripts, right-to-left text, combining marks and emoji, as in real data.
"""

# ruff: noqa: RUF001 (letters of other scripts are the point)

from __future__ import annotations

__all__ = ["GIVEN_NAMES", "SENTENCES", "TENANTS", "TOPICS"]

TENANTS = (
    ("acme", "Acme Instruments"),
    ("borealis", "Borealis Énergie"),
    ("cedar", "شركة الأرز"),
    ("dalia", "Dália & Filhos"),
    ("elpida", "Ελπίδα Α.Ε."),
    ("fjord", "Fjørd Sjømat"),
    ("granit", "Гранит"),
    ("himalaya", "हिमालय शिक्षा"),
    ("iris", "אירוס מערכות"),
    ("jasmin", "Jaśmin Sp. z o.o."),
    ("kaede", "楓書房"),
    ("lotus", "莲花科技"),
    ("mango", "மாங்கனி"),
    ("nimbus", "Nimbus ☁️ Hosting"),
    ("owl", "Owl 🦉 & Daughters"),
    ("palmera", "Palmera del Año"),
)
"""Slug and name; further tenants get numbered ones."""

GIVEN_NAMES = (
    "Ada", "Bjørn", "Chiara", "Đorđe", "Élodie", "Fatima فاطمة", "Giorgos Γιώργος", "Hana はな", "Ines", "João",
    "Kwame", "Łucja", "Mina 민아", "Nia", "Olga Ольга", "Priya प्रिया", "Quentin", "Rui 睿", "Søren", "Zoë",
)  # fmt: skip

TOPICS = (
    "Onboarding", "Запуск станка", "Πολιτική αδειών", "経費精算の手引き", "سياسة الإجازات", "Rückgaberecht",
    "Sécurité incendie", "休假制度", "Naïve questions", "नियमावली", "Release notes 🚀", "Menú del día 🥘",
    "Приказ № 12", "Wartungsplan", "Guía de estilo", "מדריך למשתמש", "한국어 안내서", "On-call 📟",
)  # fmt: skip

SENTENCES = (
    "Ask the person who did it last before you change anything.",
    "Die Pumpe läuft erst nach dem Spülen wieder an.",
    "Le badge est rendu à l'accueil, jamais au vigile.",
    "Перед запуском проверьте давление и запишите его в журнал.",
    "Η αίτηση υποβάλλεται δέκα ημέρες πριν.",
    "領収書は月末までに提出してください。",
    "请在提交之前保存一份副本。",
    "يُرسل الطلب إلى المدير قبل نهاية الأسبوع.",
    "יש לגבות את הקבצים בכל ערב.",
    "कृपया बैठक से पहले दस्तावेज़ पढ़ें।",
    "Nie zamykaj zgłoszenia bez opisu przyczyny.",
    "A 100 % refund needs two signatures; 50 % needs one.",
    "Keep café, cafe\u0301 and CAFÉ apart: search does not.",
    'O’Brien’s "quoted" path is C:\\temp\\new; tabs\tand\nlines survive.',
    "회의록은 다음 날까지 공유합니다.",
    "👩🏽\u200d🔧 signs off, 👀 reviews, ✅ ships.",
)  # fmt: skip
