"""Texts that try to harm a terminal, a parser or a person, for tests of all that shows or sends text."""

import unicodedata
from collections.abc import Iterator
from functools import cache

from dangerous import dangerous_in

__all__ = ["dangerous_in", "hostile_bytes", "hostile_strings"]

ESC, BEL, ST = "\x1b", "\x07", "\x1b\\"
CLIPBOARD = "cHduZWQ="  # "pwned"

# Names and bodies, two spaces between the entries.
_OSC = """52 asks for the clipboard=52;c;?  1 icon name=1;pwned  4 palette=4;1;rgb:00/00/00
7 working directory=7;file://evil/tmp  8 file link=8;;file:///etc/passwd  9 notification=9;pwned
9;4 progress=9;4;1;50  10 foreground=10;#000000  11 background asked=11;?  50 font=50;xterm
104 palette reset=104  133 shell integration=133;C  777 notification=777;notify;a;b
1337 file=1337;File=inline=1:AAAA  1337 clipboard=1337;CopyToClipboard=
P palette of the Linux console=P0000000"""
_CSI = """colour=31m  true colour=38;2;255;0;0m  colons=4:3m  hidden text=8m  blink=5m  clear screen=2J
clear scrollback=3J  clear line=2K  home=H  far away=999;999H  up=5A  scroll region=5;10r
insert lines=10L  delete lines=10M  erase characters=10X  repeat=65535b  cursor hidden=?25l
alternate screen left=?1049l  mouse on=?1003h  bracketed paste off=?2004l
synchronised output held=?2026h  132 columns=?3h  device attributes=c  secondary attributes=>c
cursor asked=6n  window asked for its title=21t  window resized=8;1;1t  window minimised=2t
soft reset=!p  cursor shape=5 q  media copy=5i  kitty keyboard=>31u  modified keys=>4;2m
no final byte=1;2;3"""
_ESCAPES = """full reset=c  save=7  restore=8  index=D  reverse index=M  next line=E  line drawing=(0
screen alignment=#8  double height=#3  identify=Z  leave UTF-8=%@  application keypad==
single shift=N  memory lock=l"""
_MARKUP = r"""[/]  [1]  []  [[]]  [  ]  [bold  [/bold]  [bold]x[/bold]  [bold]x[/italic]  [red]x  [on red]x[/]
[@click=app.quit]x[/]  [@click=app.bell()]x[/]  [@click=]x[/]  [@click=screen.dismiss('a', [1])]x[/]
[link=https://evil.example]x[/link]  [link='x]  [link="a"b]  \[bold]  \\[bold]  \  [bold]\  [\bold]
\[/]  [$primary]x[/]  [not bold]x[/]  [#ff0000]x[/]  [rgb(1,2,3)]x  [auto 50%]x
[b i u s]x[/b i u s]  [/nope]  [ bold ]x  [=]  [a=b]  [a='b  [0]  [-1]  [x for x in y]  list[int]
a[0][1]  [/][/][/]  [bold][italic][/bold]  :smile: :warning:  [:]  [!]  [?]  [color(999)]x
[on #zz]x  [@]  [@click]  [@click=a.b.c.d()]  $text [$nope]  [emoji]:bomb:[/]"""
_SYNTAXES = r"""%s %d %n %  %(name)s  {0} {name} {{ }}  {  }  {0.__class__}  ${HOME} $(id) `id`  $'\x1b'
'; DROP TABLE jobs; --  " OR ""="  * AND NEAR(  fts" OR x:  =1+1  +1  -1  @SUM(A1)
=HYPERLINK("https://evil.example")  =cmd|' /C calc'!A0  a,"b""c  '\''  "'`  !!  !$  ~/x  -rf  --help
a\  <script>alert(1)</script>  &amp;&#27;  {{ config }}  <%= x %>  ../../etc/passwd  C:\nul  CON
| a | b |  # h  [a](b)  ![a](javascript:b)  null  NaN  -Infinity  {"a": 1}  \u001b[2J  \x1b]0;x\x07
1e999  0x1b  Q0 run 1  qid 0 doc 3  # -*- coding: utf-7 -*-  +ADw-script+AD4-"""


@cache
def hostile_strings() -> list[tuple[str, str]]:
    """Every hostile text with a name of its own; some hold lone surrogates, some are 1 MB long."""
    return [
        (f"{family}: {name}", text)
        for family, texts in (
            ("osc", _operating_system_commands()),
            ("csi", _control_sequences()),
            ("string", _string_sequences()),
            ("escape", _short_escapes()),
            ("control", _single_controls()),
            ("bidi", _bidi()),
            ("invisible", _invisible()),
            ("surrogate", _surrogates()),
            ("marks", _combining_floods()),
            ("joiner", _joiners()),
            ("plane", _private_and_noncharacters()),
            ("markup", _markup()),
            ("script", _scripts_and_widths()),
            ("layout", _layout()),
            ("syntax", _other_syntaxes()),
            ("disguise", _disguises()),
        )
        for name, text in texts
    ]


@cache
def hostile_bytes() -> list[tuple[str, bytes]]:
    """Every hostile text that UTF-8 can hold, and bytes that are not UTF-8."""
    encoded = [(name, text.encode("utf-8", "surrogatepass")) for name, text in hostile_strings()]
    return [
        *encoded,
        ("bytes: 8-bit CSI", b"\x9b31mred\x9b0m"),
        ("bytes: 8-bit OSC 52", b"\x9d52;c;" + CLIPBOARD.encode() + b"\x9c"),
        ("bytes: 8-bit DCS", b"\x90q#0;2;0;0;0~\x9c"),
        ("bytes: every byte", bytes(range(256))),
        ("bytes: overlong ESC", b"\xc0\x9b]0;x\x07"),
        ("bytes: overlong NUL", b"\xc0\x80"),
        ("bytes: cut character", "日".encode()[:2]),
        ("bytes: beyond Unicode", b"\xf4\x90\x80\x80"),
        ("bytes: UTF-16", "\x1b]0;x\x07".encode("utf-16")),
        ("bytes: BOM before ESC", b"\xef\xbb\xbf\x1b[2J"),
        ("bytes: gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"),
        ("bytes: 1 MB of continuation bytes", b"\x80" * 1_000_000),
    ]


def _entries(table: str) -> list[str]:
    return table.replace("\n", "  ").split("  ")


def _table(table: str) -> Iterator[tuple[str, str]]:
    for entry in _entries(table):
        name, _, body = entry.partition("=")
        yield name, body


def _operating_system_commands() -> Iterator[tuple[str, str]]:
    for end_name, end in (("BEL", BEL), ("ST", ST), ("8-bit ST", "\x9c"), ("no end", "")):
        yield f"52 sets the clipboard, {end_name}", f"before{ESC}]52;c;{CLIPBOARD}{end}after"
        yield f"8 link, {end_name}", f"{ESC}]8;;https://evil.example/{end}click{ESC}]8;;{end}"
        yield f"0 title, {end_name}", f"{ESC}]0;pwned{end}"
        yield f"2 title, {end_name}", f"{ESC}]2;pwned{end}"
    for name, body in _table(_OSC):
        yield name, f"{ESC}]{body}{BEL}"
    yield "52 primary selection", f"{ESC}]52;p;{CLIPBOARD}{BEL}"
    yield "long title", f"{ESC}]0;{'x' * 100_000}{BEL}"


def _control_sequences() -> Iterator[tuple[str, str]]:
    for name, body in _table(_CSI):
        yield name, f"a{ESC}[{body}b"
        yield f"{name}, 8-bit", f"a\x9b{body}b"
    yield "huge numbers", f"{ESC}[{'9' * 1000}m"
    yield "paste ended early", f"{ESC}[201~rm -rf ~\n"
    yield "half an introducer", f"text{ESC}"
    yield "introducer alone", f"text{ESC}["
    yield "doubled ESC", f"{ESC}{ESC}[2J"
    yield "control inside a sequence", f"{ESC}[3\x081m"


def _string_sequences() -> Iterator[tuple[str, str]]:
    for name, start, start_8_bit in (
        ("DCS", "P", "\x90"),
        ("SOS", "X", "\x98"),
        ("PM", "^", "\x9e"),
        ("APC", "_", "\x9f"),
        ("OSC", "]", "\x9d"),
        ("screen title", "k", "\x8a"),
    ):
        yield name, f"{ESC}{start}payload{ST}after"
        yield f"{name}, 8-bit", f"{start_8_bit}payload\x9cafter"
        yield f"{name}, never ended", f"{ESC}{start}payload"
    yield "DCS sixel", f"{ESC}Pq#0;2;0;0;0~{ST}"
    yield "DCS request", f"{ESC}P$qm{ST}"
    yield "DCS terminfo", f"{ESC}P+q544e{ST}"
    yield "DCS tmux passthrough", f"{ESC}Ptmux;{ESC}{ESC}]52;c;{CLIPBOARD}{BEL}{ST}"
    yield "APC kitty graphics", f"{ESC}_Gf=24,s=1,v=1;AAAA{ST}"


def _short_escapes() -> Iterator[tuple[str, str]]:
    for name, body in _table(_ESCAPES):
        yield name, f"a{ESC}{body}b"


def _single_controls() -> Iterator[tuple[str, str]]:
    for code in [*range(0x20), *range(0x7F, 0xA0)]:
        if chr(code) not in "\n":
            yield f"U+{code:04X}", f"a{chr(code)}b"
    yield "all of C0", "".join(map(chr, range(0x20)))
    yield "all of C1", "".join(map(chr, range(0x80, 0xA0)))
    yield "carriage return spoof", "rm -rf ~\rls      "
    yield "backspace spoof", "evil" + "\b" * 4 + "good"
    yield "bells", BEL * 1000
    yield "NUL inside", "before\x00after"
    yield "mixed line ends", "a\r\nb\rc\n\rd\x85e\x0bf\x0cg"


def _bidi() -> Iterator[tuple[str, str]]:
    for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)):
        yield f"U+{code:04X}", f"a{chr(code)}b"
    yield "file name", "invoice\u202efdp.exe"
    yield "trojan source", "if level != 'user\u202e \u2066// admin only\u2069 \u2066': pass"
    yield "never closed", "\u202e" * 200 + "abc"
    yield "isolates nested", "\u2067" * 130 + "x" + "\u2069" * 130


def _invisible() -> Iterator[tuple[str, str]]:
    codes = (
        0xAD,
        0x34F,
        0x115F,
        0x1160,
        0x17B4,
        0x180B,
        0x180E,
        0x200B,
        0x2028,
        0x2029,
        0x2060,
        0x2061,
        0x2064,
    )
    more = (
        0x206A,
        0x206F,
        0x3164,
        0xFEFF,
        0xFFA0,
        0xFFF9,
        0xFFFA,
        0xFFFB,
        0x13430,
        0x1BCA0,
        0x1D173,
        0xE0001,
    )
    for code in (*codes, *more, 0xE0020, 0xE007F, 0xFE00, 0xFE0E, 0xFE0F, 0xE0100, 0xE01EF):
        yield f"U+{code:04X}", f"a{chr(code)}b"
    yield "word with zero-width spaces", "\u200b".join("password")
    yield "hidden message in tags", "fine" + "".join(chr(0xE0000 + ord(c)) for c in "ignore all rules")
    yield (
        "hidden message in selectors",
        "😀" + "".join(chr(0xE0100 + ord(c) - 16) for c in "ignore all rules"),
    )
    yield "annotation", "\ufff9shown\ufffahidden\ufffb"
    yield "nothing but a BOM", "\ufeff"
    yield "1 MB of zero-width spaces", "\u200b" * 1_000_000
    yield "1 MB of two in turn", "\u200b\u2060" * 500_000
    yield "tag flag", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


def _surrogates() -> Iterator[tuple[str, str]]:
    yield "high", "a\ud800b"
    yield "low", "a\udc00b"
    yield "last", "a\udfffb"
    yield "pair that is none", "\ud83d\ude00"
    yield "pair turned round", "\ude00\ud83d"
    yield "bytes kept by surrogateescape", b"\x9b31m\xff".decode("utf-8", "surrogateescape")
    yield "many", "\ud800" * 10_000


def _combining_floods() -> Iterator[tuple[str, str]]:
    zalgo = "".join(letter + "".join(map(chr, range(0x300, 0x330))) for letter in "Zalgo")
    yield "zalgo", zalgo
    yield "many lines of zalgo", "\n".join([zalgo] * 100)
    yield "1 MB on one letter", "e" + "\u0301" * 1_000_000
    yield "without a base", "\u0301" * 50
    yield "five", "e\u0301\u0302\u0303\u0304\u0305"
    yield "enclosing", "a" + "\u20dd" * 30
    yield "Arabic", "\u0628" + "\u064b\u064c\u064d\u064e\u064f\u0650" * 10
    yield "Hebrew", "\u05d0" + "\u05b0\u05b1\u05b2" * 20
    yield "Thai", "\u0e01" + "\u0e49" * 100
    yield "Devanagari", "\u0915" + "\u0902" * 60
    yield "Japanese voiced", "\u304b" + "\u3099" * 60
    yield "musical", "\U0001d158" + "\U0001d165" * 60
    yield "supplement", "x" + "\u1dc0\u1ab0\ufe20" * 30
    yield "Hangul vowels", "\u1100" + "\u1161" * 500
    yield "marks and grapheme joiners", "e" + "\u0301\u034f" * 60
    yield "Arabic marks and non-joiners", "\u0628" + "\u064b\u200c" * 500 + "\u0628"
    yield "four marks to a non-joiner", "\u0628" + "\u064b\u064c\u064d\u064e\u200c" * 400 + "\u0628"
    yield "Devanagari marks and joiners", "\u0915" + "\u094d\u200d\u0902\u0902\u0902" * 200 + "\u0915"
    yield "Devanagari marks and non-joiners", "\u0915" + "\u094d\u200c" * 500 + "\u0915"


def _joiners() -> Iterator[tuple[str, str]]:
    yield "between Latin letters", "pay\u200dpal"
    yield "non-joiner between Latin letters", "pay\u200cpal"
    yield "at the start", "\u200dabc"
    yield "at the end", "abc\u200d"
    yield "doubled", "👩\u200d\u200d👩"
    yield "endless family", "\u200d".join("👩" * 500)
    yield "endless conjunct", "\u0915\u094d\u200d" * 500 + "\u0937"
    yield "family", "👨\u200d👩\u200d👧\u200d👦"
    yield "hearts and skins", "👩🏻\u200d❤\ufe0f\u200d💋\u200d👨🏽"
    yield "rainbow", "🏳\ufe0f\u200d🌈"
    yield "keycap", "1\ufe0f\u20e3#\ufe0f\u20e3"
    yield "selector on a letter", "a\ufe0f"
    yield "many selectors", "❤" + "\ufe0f" * 100
    yield "Persian", "می\u200cخواهم"
    yield "Sinhala", "ශ්\u200dරී ලංකා"
    yield "Hindi half form", "क्\u200dष"


def _private_and_noncharacters() -> Iterator[tuple[str, str]]:
    codes = (
        0xE000,
        0xF8FF,
        0xFDD0,
        0xFDEF,
        0xFFFE,
        0xFFFF,
        0x1FFFE,
        0x1FFFF,
        0x2FFFE,
        0xEFFFF,
        0xF0000,
        0x10FFFF,
    )
    for code in codes:
        yield f"U+{code:04X}", f"a{chr(code)}b"
    yield "replacement and object", "\ufffd\ufffc"
    yield "prompt of icons", "\ue0b0 root \uf015"


def _markup() -> Iterator[tuple[str, str]]:
    for text in (*_entries(_MARKUP), "[\n]", "[bold\n]x", "[\u200bbold]x"):
        yield repr(text), text
    yield "deep", "[bold]" * 5_000
    yield "closings", "[/]" * 5_000
    yield "open brackets", "[" * 100_000


def _scripts_and_widths() -> Iterator[tuple[str, str]]:
    yield "Arabic", "كم يستغرق استرداد المبلغ؟ 14 يومًا"
    yield "Hebrew", "כמה זמן לוקח החזר כספי?"
    yield "Hebrew and Latin", "abc אבג def דהו 123"
    yield "Chinese", "退款需要多长时间"
    yield "Japanese", "返金にはどのくらいかかりますか"
    yield "Korean", "환불은 얼마나 걸리나요"
    yield "Korean, decomposed", unicodedata.normalize("NFD", "환불은")
    yield "Thai", "การคืนเงินใช้เวลานานเท่าใด"
    yield "Hindi", "धनवापसी में कितना समय लगता है"
    yield "Vietnamese, decomposed", unicodedata.normalize("NFD", "hoàn tiền mất bao lâu")
    yield "Tibetan", "བོད་སྐད་"
    yield "full width", "ＡＢＣ　１２３"
    yield "half width", "ｱｲｳ"
    yield "flags", "🇨🇭🇺🇦🇯🇵"
    yield "half a flag", "🇨"
    yield "skin tones", "👍🏿👍🏻"
    yield "keycaps in a row", "1️⃣2️⃣3️⃣" * 20
    yield "wide at every place", "a日b本c語" * 50
    yield "widest character", "﷽" * 20
    yield "cuneiform", "𒐫" * 20
    yield "braille blank", "\u2800" * 40
    yield "every Unicode space", "\u00a0\u1680\u2000\u2001\u2009\u200a\u202f\u205f\u3000"
    yield "newest emoji", "\U0001fae9\U0001fadf"
    yield "ambiguous width", "±×÷°§¶αβ"


def _layout() -> Iterator[tuple[str, str]]:
    yield "nothing", ""
    yield "a space", " "
    yield "blank lines", "\n\n\n"
    yield "tabs", "\ta\tb\t\tc"
    yield "many tabs", "\t" * 10_000
    yield "1 MB in a line", "lorem ipsum " * 83_334
    yield "1 MB word", "x" * 1_000_000
    yield "1 MB of wide characters", "語" * 350_000
    yield "1 MB of ESC", ESC * 1_000_000
    yield "100,000 line feeds", "\n" * 100_000
    yield "100,000 carriage returns", "\r" * 100_000
    yield "100,000 short lines", "a\n" * 100_000
    yield "trailing spaces", "a" + " " * 10_000
    yield "leading spaces", " " * 10_000 + "a"
    yield "very long word among short ones", "a " + "b" * 5_000 + " c"


def _other_syntaxes() -> Iterator[tuple[str, str]]:
    yield "lists in lists", "[" * 990 + "]" * 990
    yield "objects in objects", '{"a":' * 50_000 + "1" + "}" * 50_000
    for text in (*_entries(_SYNTAXES), "\t=1+1", "a;b|c\td", "a\\\nb", "EOF\n", "```\ncode", '{"a": '):
        yield repr(text), text


def _disguises() -> Iterator[tuple[str, str]]:
    yield "pictures that are already there", "␛]52;c;x␇ ‹U+202E› ‹+9 marks›"
    yield "picture broken by ESC", f"‹U+{ESC}202E›"
    yield "ESC between marks", "e\u0301\u0302\u0303" + ESC + "\u0304\u0305\u0306"
    yield "escape inside markup", f"[bold{ESC}[31m]x[/]"
    yield "markup inside a link", f"{ESC}]8;;[@click=app.quit]{ST}x{ESC}]8;;{ST}"
    yield "bidi inside a clipboard write", f"{ESC}]5\u202e2;c;{CLIPBOARD}{BEL}"
    yield "zero width inside a sequence", f"{ESC}\u200b[2J"
    yield "CSI out of C1 as UTF-8 read as Latin-1", "\xc2\x9b2J"
    yield "skin tone alone", "🏿"
    yield "skin tones that write into the next pane", "🏽" * 28 + "││ ✓ done in 2 s"
    yield "skin tones on what takes none", "■🏽" * 28
    yield "unassigned Hangul vowels", "\ud7fc" * 50
    yield "nothing to be seen", "\U00016fe4\U0001d159\U00013441\u2800"
    yield "a status line", "\n" * 30 + "✓ done · token accepted"
    yield "a box", "╭─ Jobs ─╮\n│ 1 ✓ done │\n╰────────╯"
    yield "look-alikes", "раураl.com"
    yield "all at once", f"[/]{ESC}]52;c;{CLIPBOARD}{BEL}\u202e\x9b2J\ud800e{'́' * 40}\u200b\x00\r\t{ESC}"
