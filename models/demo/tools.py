"""Tasks of the app's tools for the demo model: the exact prompts of crates/tutor, and results in the exact order of their schemas.

The demo knows sums, times tables, fractions, units, capitals, some dates and facts, and the definitions in facts.py. For any other topic
its result says that it is only the demo, and has sums in it where questions are asked for.

    python tools.py --count 5                shows tasks with their results
"""

import argparse
import json
import random
import re

import generate as g
from facts import CAPITALS, EVENTS, TOPICS
from questions import DEMO_CARD, DEMO_TITLE, MEDIUM, SIGN, Topic, pair, plain, upper
from trees import TREES, tree

LANGS = g.LANGS
FOLDER = g.HERE / "../../crates/tutor/prompts/tools/v1"
TEMPLATE = {p.name.removesuffix(".txt"): p.read_text(encoding="utf-8").strip() for p in FOLDER.glob("*.txt")}
WORDS = {l: dict(line.split(": ", 1) for line in TEMPLATE[f"words.{l}"].splitlines()) for l in LANGS}
KINDS = ("quiz", "practice", "mind_map", "illustration", "flashcards", "sheet")
LEVELS = ("easy", "medium", "hard")
SHORT, LONG, LABEL = 60, 280, 40  # the longest texts in characters, with MEDIUM between them


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def fill(name, l, **values):
    return re.sub(r"\{(\w+)\}", lambda m: str(values[m[1]]), TEMPLATE[f"{name}.{LANGS[l]}"])


def text(s, most):
    assert 0 < len(s) <= most and '"' not in s and "\\" not in s, (most, len(s), s)
    return {"text": s}


# ---------------------------------------------------------------------------------------------- drawings


def shape(kind, x, y, w, h, tone="plain", label=""):
    assert 0 <= x <= 100 and 0 <= y <= 75 and -100 <= w <= 100 and -75 <= h <= 75 and len(label) <= 30
    return {"kind": kind, "x": x, "y": y, "width": w, "height": h, "tone": tone, "label": label}


def curve(function, a, b, c):
    return {"function": function, "a": a, "b": b, "c": c}


DRAWINGS = {
    "triangle": (("un triángulo|el triángulo|triángulos", "a triangle|the triangle|triangles", "um triângulo|o triângulo|triângulos"), ("Un triángulo", "A triangle", "Um triângulo"), ("Un triángulo con su base y su altura.", "A triangle with its base and its height.", "Um triângulo com sua base e sua altura."),
                 lambda t: ([shape("triangle", 25, 15, 50, 40, "green"), shape("line", 50, 15, 0, 40), shape("label", 45, 60, 0, 0, "plain", t("base", "base", "base")), shape("label", 53, 38, 0, 0, "plain", t("altura", "height", "altura"))], [])),
    "square": (("un cuadrado|el cuadrado|cuadrados", "a square|the square|squares", "um quadrado|o quadrado|quadrados"), ("Un cuadrado", "A square", "Um quadrado"), ("Un cuadrado con sus cuatro lados iguales.", "A square with its four equal sides.", "Um quadrado com seus quatro lados iguais."),
               lambda t: ([shape("rectangle", 30, 15, 40, 40, "yellow"), shape("label", 46, 60, 0, 0, "plain", t("lado", "side", "lado")), shape("label", 73, 36, 0, 0, "plain", t("lado", "side", "lado"))], [])),
    "rectangle": (("un rectángulo|el rectángulo|el área de un rectángulo", "a rectangle|the rectangle|the area of a rectangle", "um retângulo|o retângulo|a área de um retângulo"), ("Un rectángulo", "A rectangle", "Um retângulo"), ("Un rectángulo con su base y su altura.", "A rectangle with its base and its height.", "Um retângulo com sua base e sua altura."),
                  lambda t: ([shape("rectangle", 20, 20, 60, 30, "green"), shape("label", 46, 56, 0, 0, "plain", t("base", "base", "base")), shape("label", 83, 36, 0, 0, "plain", t("altura", "height", "altura"))], [])),
    "circle": (("un círculo|el círculo|la circunferencia", "a circle|the circle|circles", "um círculo|o círculo|a circunferência"), ("Un círculo", "A circle", "Um círculo"), ("Un círculo con su centro y su radio.", "A circle with its centre and its radius.", "Um círculo com seu centro e seu raio."),
               lambda t: ([shape("ellipse", 25, 12, 50, 50, "yellow"), shape("line", 50, 37, 25, 0), shape("label", 58, 32, 0, 0, "plain", t("radio", "radius", "raio")), shape("label", 40, 40, 0, 0, "plain", t("centro", "centre", "centro"))], [])),
    "parabola": (("una parábola|la parábola|y = x²|función cuadrática|la función cuadrática", "a parabola|the parabola|y = x²|quadratic function|the quadratic function", "uma parábola|a parábola|y = x²|função quadrática|a função quadrática"), ("Una parábola", "A parabola", "Uma parábola"),
                 ("La parábola de y = x². Baja hasta el cero y vuelve a subir.", "The parabola of y = x². It falls to zero and rises again.", "A parábola de y = x². Desce até o zero e volta a subir."), lambda t: ([], [curve("parabola", 1, 0, 0)])),
    "line": (("una recta|la recta|función lineal|la función lineal|y = x + 1", "a straight line|linear function|the linear function|y = x + 1", "uma reta|a reta|função linear|a função linear|y = x + 1"), ("Una recta", "A straight line", "Uma reta"),
             ("La recta de y = x + 1. Sube siempre igual.", "The line of y = x + 1. It always rises the same.", "A reta de y = x + 1. Sobe sempre igual."), lambda t: ([], [curve("line", 0, 1, 1)])),
    "sine": (("la función seno|el seno|una onda", "the sine function|sine|a wave", "a função seno|o seno|uma onda"), ("Una onda", "A wave", "Uma onda"), ("La función seno sube y baja como una onda.", "The sine function goes up and down like a wave.", "A função seno sobe e desce como uma onda."),
             lambda t: ([], [curve("sine", 2, 1, 0)])),
    "water": (("el ciclo del agua|ciclo del agua", "the water cycle|water cycle", "o ciclo da água|ciclo da água"), ("El ciclo del agua", "The water cycle", "O ciclo da água"), ("El agua sube del mar, forma nubes y cae como lluvia.", "Water rises from the sea, forms clouds and falls as rain.", "A água sobe do mar, forma nuvens e cai como chuva."),
              lambda t: ([shape("ellipse", 5, 5, 14, 14, "yellow", t("Sol", "Sun", "Sol")), shape("ellipse", 55, 8, 30, 14, "plain", t("nube", "cloud", "nuvem")), shape("rectangle", 0, 60, 100, 15, "green", t("mar", "sea", "mar")), shape("arrow", 35, 58, 20, -35, "plain", t("vapor", "vapour", "vapor")),
                          shape("arrow", 75, 24, 0, 34, "plain", t("lluvia", "rain", "chuva"))], [])),
    "sun": (("el sistema solar|sistema solar|los planetas|planetas", "the solar system|solar system|the planets|planets", "o sistema solar|sistema solar|os planetas|planetas"), ("El Sol y los planetas", "The Sun and the planets", "O Sol e os planetas"), ("El Sol y los cuatro planetas más cercanos.", "The Sun and the four nearest planets.", "O Sol e os quatro planetas mais próximos."),
            lambda t: ([shape("ellipse", 3, 22, 30, 30, "yellow", t("Sol", "Sun", "Sol")), shape("ellipse", 40, 35, 4, 4, "plain"), shape("label", 38, 43, 0, 0, "plain", t("Mercurio", "Mercury", "Mercúrio")), shape("ellipse", 54, 34, 6, 6, "orange"), shape("label", 53, 30, 0, 0, "plain", t("Venus", "Venus", "Vênus")),
                        shape("ellipse", 70, 34, 7, 7, "green"), shape("label", 69, 45, 0, 0, "plain", t("Tierra", "Earth", "Terra")), shape("ellipse", 86, 35, 5, 5, "orange"), shape("label", 84, 30, 0, 0, "plain", t("Marte", "Mars", "Marte"))], [])),
    "cell": (("la célula|una célula|célula", "the cell|a cell|cell", "a célula|uma célula|célula"), ("La célula", "The cell", "A célula"), ("Una célula con su membrana, su citoplasma y su núcleo.", "A cell with its membrane, its cytoplasm and its nucleus.", "Uma célula com sua membrana, seu citoplasma e seu núcleo."),
             lambda t: ([shape("ellipse", 20, 10, 60, 50, "green"), shape("ellipse", 42, 26, 18, 18, "orange"), shape("label", 44, 48, 0, 0, "plain", t("núcleo", "nucleus", "núcleo")), shape("label", 26, 30, 0, 0, "plain", t("citoplasma", "cytoplasm", "citoplasma")), shape("label", 40, 66, 0, 0, "plain", t("membrana", "membrane", "membrana"))], [])),
    "chain": (("la cadena alimentaria|cadena alimentaria", "the food chain|a food chain|food chain", "a cadeia alimentar|cadeia alimentar"), ("Una cadena alimentaria", "A food chain", "Uma cadeia alimentar"), ("De la hierba al saltamontes, a la rana y a la serpiente.", "From the grass to the grasshopper, the frog and the snake.", "Do capim ao gafanhoto, ao sapo e à cobra."),
              lambda t: ([shape("rectangle", 1, 30, 19, 12, "green", t("hierba", "grass", "capim")), shape("arrow", 21, 36, 5, 0), shape("rectangle", 27, 30, 19, 12, "yellow", t("saltamontes", "grasshopper", "gafanhoto")), shape("arrow", 47, 36, 5, 0), shape("rectangle", 53, 30, 19, 12, "green", t("rana", "frog", "sapo")),
                          shape("arrow", 73, 36, 5, 0), shape("rectangle", 79, 30, 19, 12, "orange", t("serpiente", "snake", "cobra"))], [])),
}
DEMO_DRAWING = (("Solo la demo", "Only the demo", "Só a demo"), ("Soy solo la demo y no sé dibujar ese tema. Instala el tutor completo en Ajustes.", "I am only the demo and cannot draw that topic. Install the full tutor in Settings.", "Sou só a demo e não sei desenhar esse tema. Instale o tutor completo em Configurações."),
                ("no sé dibujar eso", "I cannot draw that", "não sei desenhar isso"))


def fraction_bar(n, d, l):
    width = 80 // d
    shapes = [shape("rectangle", 10 + i * width, 28, width, 20, "green" if i < n else "plain") for i in range(d)]
    return shapes + [shape("label", 45, 60, 0, 0, "plain", f"{n}/{d}")]


# ---------------------------------------------------------------------------------------------- tasks


def choice(q, hint=True):
    options = q["options"]
    assert len({o.lower() for o in options}) == 4 and options[q["place"]] == q["right"], q
    item = {"prompt": text(q["prompt"], MEDIUM), "options": [text(o, SHORT) for o in options]}
    if hint:
        item["hint"] = text(q["hint"], MEDIUM)
    item["explanation"] = text(q["explanation"], LONG)
    item["answer"] = q["place"]
    return item


def result_quiz(rng, topic, count, level, split):
    return {"title": text(topic.title, SHORT), "questions": [choice(q) for q in topic.questions(rng, count, level, split)]}


def exercise(q):
    return {"prompt": text(q["prompt"], MEDIUM), "hint": text(q["hint"], MEDIUM), "steps": [text(s, MEDIUM) for s in q["steps"]], "answer": text(q["right"], SHORT)}


def arithmetic_tree(op, a, b, l):
    intro, lines, res = g.worked(op, a, b, l)
    lines = [plain(s) for s in lines]
    lines = [s for s in lines if len(s) <= LABEL][:4]
    return {"label": f"{a} {SIGN[op]} {b}", "children": [{"label": ("Pasos", "Steps", "Passos")[l], "children": [{"label": s, "children": []} for s in lines]}, {"label": g.MARK[l], "children": [{"label": plain(res), "children": []}]}]}


def table_tree(n, l):
    rows = ((("Fáciles", "Easy ones", "Fáceis"), (1, 2, 5, 10)), (("Con dobles", "By doubling", "Com dobros"), (4, 8)), (("Por partes", "In parts", "Por partes"), (3, 6, 7, 9)))
    return {"label": ("Tabla del {n}", "Times table of {n}", "Tabuada do {n}")[l].replace("{n}", str(n)), "children": [{"label": name[l], "children": [{"label": f"{n} · {k} = {n * k}", "children": []} for k in ks]} for name, ks in rows]}


def capitals_tree(rng, l):
    parts = ((("América", "America", "América"), range(14, 33)), (("Europa", "Europe", "Europa"), range(0, 14)), (("Asia y África", "Asia and Africa", "Ásia e África"), range(33, 41)))
    return {"label": ("Capitales", "Capitals", "Capitais")[l], "children": [{"label": name[l], "children": [{"label": CAPITALS[i][0][l], "children": [{"label": CAPITALS[i][1][l]}]} for i in rng.sample(list(span), 4)]} for name, span in parts]}


def history_tree(rng, l):
    old = [e for e in EVENTS if e[1] < 1900 and len(e[0][l]) <= LABEL]
    new = [e for e in EVENTS if e[1] >= 1900 and len(e[0][l]) <= LABEL]
    node = lambda e: {"label": upper(e[0][l]), "children": [{"label": str(e[1])}]}
    return {"label": ("Fechas de la historia", "Dates of history", "Datas da história")[l], "children": [{"label": ("Antes de 1900", "Before 1900", "Antes de 1900")[l], "children": [node(e) for e in rng.sample(old, min(3, len(old)))]},
            {"label": ("Desde 1900", "Since 1900", "Desde 1900")[l], "children": [node(e) for e in rng.sample(new, min(3, len(new)))]}]}


def science_tree(rng, l):
    keys = rng.sample(range(len(TOPICS)), 3)
    return {"label": ("Ciencias", "Science", "Ciências")[l], "children": [{"label": tree(TREES[TOPICS[k][0][0][0]][l])["label"], "children": [{"label": b["label"], "children": []} for b in tree(TREES[TOPICS[k][0][0][0]][l])["children"]]} for k in keys]}


def make(rng, l, split, kind=None):
    """(kind, system, user, result, facts about the task for measuring)"""
    kind = kind or rng.choices(KINDS, [34, 18, 15, 11, 12, 10])[0]
    level = rng.randrange(3)
    data = None
    if kind == "illustration":
        r = rng.random()
        if r < .5:
            name, (asks, title, description, draw) = rng.choice(list(DRAWINGS.items()))
            data = rng.choice(asks[l].split("|"))
            shapes, curves = draw(lambda *x: x[l])
            title, description = title[l], description[l]
        elif r < .68:
            d = rng.choice([2, 3, 4, 5, 6, 8])
            n = rng.randint(1, d)
            data = rng.choice((["la fracción {f}", "{f}", "una fracción: {f}"], ["the fraction {f}", "{f}", "a fraction: {f}"], ["a fração {f}", "{f}", "uma fração: {f}"])[l]).replace("{f}", f"{n}/{d}")
            title = f"{n}/{d}"
            description = (f"Una barra con {d} partes iguales. Pintadas: {n}.", f"A bar of {d} equal parts. Painted: {n}.", f"Uma barra com {d} partes iguais. Pintadas: {n}.")[l]
            shapes, curves = fraction_bar(n, d, l), []
        else:
            data = Topic(rng, l, split, True).text if rng.random() < .3 else None
            name = None
            while data is None or any(data.lower() in a.lower().split("|") for v in DRAWINGS.values() for a in v[0]):
                topic = Topic(rng, l, split, True)
                data = topic.text if not topic.known else None
            title, description, words = (x[l] for x in DEMO_DRAWING)
            shapes, curves = [shape("rectangle", 25, 25, 50, 20, "plain", title), shape("label", 35, 55, 0, 0, "plain", words)], []
        if rng.random() < .4:
            data = upper(data)
        value = {"title": text(title, SHORT), "description": text(description, MEDIUM), "shapes": shapes, "curves": curves}
        user = fill("illustration", l, about=WORDS[LANGS[l]]["topic"], data=data)
    elif kind == "mind_map":
        r = rng.random()
        about = "topic"
        if r < .62:
            topic = Topic(rng, l, split)
            data = topic.text
            if topic.n:
                value = table_tree(topic.n, l)
            elif topic.tree:
                value = tree(TREES[topic.tree][l])
            else:
                value = {"cap": capitals_tree, "event": history_tree, "science": science_tree}[topic.group](rng, l)
        else:
            about = "text"
            if r < .8:
                i = rng.randrange(len(TOPICS))
                data = TOPICS[i][1][l] + rng.choice(["", "\n\n" + g.Q_CLEAR[l]])
                value = tree(TREES[TOPICS[i][0][0][0]][l])
            elif r < .93:
                op = rng.choice(list(SIGN))
                a, b = pair(rng, op, level, split)
                data = g.answer_op(op, a, b, l)[0]
                value = arithmetic_tree(op, a, b, l)
            else:
                data = g.REFUSE[l]
                value = tree(TREES["demo"][l])
        user = fill("mind_map", l, about=WORDS[LANGS[l]][about], data=data)
    else:
        topic = Topic(rng, l, split)
        data = topic.text
        if kind == "quiz":
            count = rng.choices((3, 5, 10), (50, 35, 15))[0]
            value = result_quiz(rng, topic, count, level, split)
            user = fill("quiz", l, topic=data, level=WORDS[LANGS[l]][LEVELS[level]], count=count)
        elif kind == "practice":
            used = ""
            before = []
            if rng.random() < .4:
                before = [q["prompt"] for q in topic.questions(rng, 3 * rng.choice([1, 1, 2, 3]) if topic.known else 3, level, split)][-12:]
                used = fill("used", l, used="\n".join(before)) + "\n"
            value = {"title": text(topic.title, SHORT), "exercises": [exercise(q) for q in topic.questions(rng, 3, level, split, before)]}
            user = fill("practice", l, topic=data, level=WORDS[LANGS[l]][LEVELS[level]], count=3, used=used)
        elif kind == "flashcards":
            count = rng.choice((5, 5, 8, 12))
            cards = []
            for q in topic.questions(rng, count, level, split):
                front, back = q["front"], q.get("back") or f"{q['right']}"
                cards.append({"front": text(front, MEDIUM), "back": text(back, MEDIUM)})
            if not topic.known:
                cards[0] = {"front": text(DEMO_CARD[l][0], MEDIUM), "back": text(DEMO_CARD[l][1], MEDIUM)}
            value = {"title": text(topic.title, SHORT), "cards": cards}
            user = fill("flashcards", l, topic=data, count=count)
        else:
            count, form = rng.choices((3, 5, 7, 10), (45, 30, 15, 10))[0], rng.choice(("choice", "open", "mixed"))
            n = {"choice": count, "open": 0, "mixed": -(-count // 2)}[form]
            grade = rng.randint(1, 12)
            level = 0 if grade < 4 else 1 if grade < 8 else 2
            qs = topic.questions(rng, count, level, split)
            lead = ("Lee cada pregunta y responde.", "Read each question and answer it.", "Leia cada pergunta e responda.")[l]
            value = {"title": text(topic.title, SHORT), "instructions": text(lead, MEDIUM), "choice": [choice(q, False) for q in qs[:n]],
                     "open": [{"prompt": text(q["prompt"], MEDIUM), "lines": q["lines"], "answer": text(q["explanation"], LONG)} for q in qs[n:]]}
            user = fill("sheet", l, topic=data, grade=grade, choice=n, open=count - n, **{"from": grade + 5, "to": grade + 6})
    return kind, TEMPLATE[f"system.{LANGS[l]}"], user, value, dict(topic=data, lang=LANGS[l], level=LEVELS[level])


def dialogue(rng):
    """A training task in the form of generate.dialogue."""
    _, system, user, value, _ = make(rng, rng.randrange(3), "train")
    return system, [(user, compact(value))]


def right_answers(value):
    """Of the questions with four answers that ask for one operation: (how many, how many marked right, how many with four different answers)."""
    n = right = distinct = 0
    for q in (value.get("questions") or value.get("choice") or []):
        m = re.search(r"(\d+) ([-+·÷]) (\d+)", q["prompt"]["text"])
        if not m or "/" in q["prompt"]["text"]:
            continue
        a, b = int(m[1]), int(m[3])
        v = {"+": a + b, "-": a - b, "·": a * b, "÷": a / b if b else None}[m[2]]
        options = [o["text"] for o in q["options"]]
        n += 1
        right += options[q["answer"]] == str(int(v) if v == int(v) else v)
        distinct += len(set(options)) == 4
    return n, right, distinct


def lengths(value):
    return {k: len(v) for k, v in value.items() if isinstance(v, list)}


def measure(rows):
    """Rows of (kind, expected result, facts, text that a model wrote) in numbers for each kind, and some texts.

    `whole`: one JSON value with the expected fields in their order and the expected number of items; `title`: the title of the topic, or the one
    that says that it is only the demo; `right`: of the questions with four answers that ask for one operation, those marked right."""
    table = {}
    for kind, value, facts, written in rows:
        r = table.setdefault(kind, dict(kind=kind, tasks=0, whole=0, title=0, unknown=0, unknown_said=0, known_refused=0, questions=0, right=0, distinct=0, samples=[]))
        r["tasks"] += 1
        title = lambda v: v.get("label") or v["title"]["text"]
        refusals = {*DEMO_TITLE, *DEMO_DRAWING[0], *(lines[0] for lines in TREES["demo"])}
        unknown = title(value) in refusals
        r["unknown"] += unknown
        try:
            got = json.loads(written)
            assert list(got) == list(value) and (kind in ("mind_map", "illustration") or lengths(got) == lengths(value))
            said = title(got)
            n, right, distinct = right_answers(got)
        except (ValueError, AssertionError, KeyError, TypeError, IndexError):
            r["samples"].append(("broken", facts["topic"], written[-300:]))
            continue
        r["whole"] += 1
        r["title"] += said == title(value)
        r["unknown_said"] += unknown and said in refusals
        r["known_refused"] += not unknown and said in refusals
        r["questions"] += n
        r["right"] += right
        r["distinct"] += distinct
        if len(r["samples"]) < 4:
            r["samples"].append((facts["lang"], facts["topic"], written))
    for r in table.values():
        del r["samples"][6:]
    return sorted(table.values(), key=lambda r: KINDS.index(r["kind"]))


def tasks(count, seed):
    """Held-out tasks: unknown topics that training never showed."""
    rng = random.Random(f"{seed}/tools")
    return [make(rng, i % 3, "test", KINDS[i // 3 % len(KINDS)]) for i in range(count)]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--count", type=int, default=3)
    p.add_argument("--kind", choices=KINDS)
    p.add_argument("--split", default="train")
    a = p.parse_args()
    rng = random.Random(a.seed)
    for _ in range(a.count):
        kind, system, user, value, facts = make(rng, rng.randrange(3), a.split, a.kind)
        print(kind, facts, "\n" + user.splitlines()[0], "\n" + compact(value), "\n")


if __name__ == "__main__":
    main()
