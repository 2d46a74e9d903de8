"""Questions about what the demo model knows, and the topics that a person may type, for the tasks in tools.py.

A question is a dict: `key` (equal keys ask for the same), `prompt`, `right`, four `options` with the right one at `place`, `hint`, `steps`,
`explanation`, `lines` for writing an answer by hand, and `front` with `back` (or else `right`) for a card.
"""

import random
import re
from math import gcd

import generate as g
from facts import CAPITALS, COUNTS, EVENTS, PT_OF, TOPICS, WHICH

MEDIUM = 160  # characters of the longest prompt, hint or step


def plain(s):
    """A text of the chat without its Markdown and LaTeX."""
    s = re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"\1/\2", s)
    s = re.sub(r"\\text\{([^}]*)\}_(\d)", r"\1\2", s).replace("\\text{H}_2\\text{O}", "H2O")
    s = re.sub(r"\\text\{([^}]*)\}", r"\1", s)
    for a, b in (("\\times", "·"), ("\\div", "÷"), ("\\%", "%"), ("$", ""), ("**", ""), ("*", "")):
        s = s.replace(a, b)
    return re.sub(r"\s+", " ", s).replace(" ,", ",").strip()


def upper(s):
    return s[0].upper() + s[1:]


# ---------------------------------------------------------------------------------------------- questions

SIGN = {"add": "+", "sub": "-", "mul": "·", "div": "÷"}
Q_SUM = (["¿Cuánto es {e}?", "¿Cuánto es {e}?", "Calcula {e}.", "{e} = ?"], ["What is {e}?", "What is {e}?", "Work out {e}.", "{e} = ?"], ["Quanto é {e}?", "Quanto é {e}?", "Calcule {e}.", "{e} = ?"])


def pair(rng, op, level, split):
    """Numbers for a level; what is larger than the tables never comes from the held-out ones in training."""
    for _ in range(200):
        if op in ("add", "sub"):
            top = (10, 60, 99)[level]
            a, b = rng.randint(1 if level < 2 else 11, top), rng.randint(1 if level < 2 else 11, top)
            if op == "sub":
                a, b = (a + b, b) if level == 0 else (max(a, b), min(a, b))
        else:
            top = (5, 10, 12)[level]
            a, b = rng.randint(2, 10 if level == 0 else top), rng.randint(2, top)
            if op == "div":
                a = a * b
        if (op == "sub" and a == b) or a > 144:
            continue
        if split == "train" and max(a, b) < 100 and g.held_out(op, a, b):
            continue
        return a, b
    raise AssertionError(op)


# The place of the right answer, by its last digit; small answers leave room for smaller wrong ones.
PLACE = (2, 0, 1, 3, 0, 3, 2, 1, 2, 1)


def numbers(rng, right, steps=(1,), form=str):
    """Four answers in even steps with the right one among them, and its place. The place follows from the last digit of the right answer: a
    model of this size cannot look up where it put it, and a student does not see it."""
    place = PLACE[right % 10]
    step = rng.choice([s for s in steps if right - place * s >= 0] or [1])
    return dict(options=[form(right + (i - place) * step) for i in range(4)], place=place)


def words(key, right, others):
    """Four answers for something learnt by heart: always the same ones at the same places."""
    fixed = random.Random(key)
    place = fixed.randrange(4)
    options = fixed.sample(sorted(others), 3)
    options.insert(place, right)
    return dict(options=options, place=place)


def q_sum(rng, l, level, split, op=None, n=None):
    op = op or rng.choice(list(SIGN))
    if n:
        a, b = n, rng.randint(1, 10)
        right = a * b
    else:
        a, b = pair(rng, op, level, split)
        right = g.value(op, a, b)
    e = f"{a} {SIGN[op]} {b}"
    if n or level == 0 or rng.random() < .6:
        prompt = rng.choice(Q_SUM[l]).replace("{e}", e)
    else:
        prompt = g.pick(rng, rng.choice(g.WORD[op]["train"][l]))
        for k, v in {"{N}": rng.choice(g.NAMES), "{o}": rng.choice(g.OBJECTS[l]), "{a}": str(a), "{b}": str(b)}.items():
            prompt = prompt.replace(k, v)
    intro, lines, _ = g.worked(op, a, b, l)
    lines = [plain(s) for s in lines]
    last = f"{e} = {right}"
    steps = lines if lines[-1] == last else lines + [last]
    if len(steps) > 4:
        steps = steps[:2] + steps[-2:]
    return dict(key=e, prompt=prompt, right=str(right), **numbers(rng, right, (1, 1, 2, 10) if op in ("add", "sub") else (1, a, b) if op == "mul" else (1, 1, 2)), hint=plain(intro), steps=steps, explanation=", ".join(steps) + ".", lines=2, front=e, value=right)


def q_frac(rng, l, level, split):
    t = lambda *x: x[l]
    sub = rng.choice(["sum", "sub", "of", "eq"])
    if sub in ("sum", "sub"):
        while True:
            d = rng.choice([3, 4, 5, 6, 7, 8, 9, 10])
            x, y = rng.randint(1, d - 1), rng.randint(1, d - 1)
            top = x + y if sub == "sum" else x - y
            if 0 < top < d and gcd(top, d) == 1:
                break
        s = "+" if sub == "sum" else "-"
        e = f"{x}/{d} {s} {y}/{d}"
        return dict(key=e, prompt=t(f"¿Cuánto es {e}?", f"What is {e}?", f"Quanto é {e}?"), right=f"{top}/{d}", **numbers(rng, top, form=lambda x: f"{x}/{d}"),
                    hint=t("Los denominadores son iguales. Trabaja con los numeradores.", "The denominators are the same. Work with the numerators.", "Os denominadores são iguais. Trabalhe com os numeradores."),
                    steps=[f"{x} {s} {y} = {top}", f"{e} = {top}/{d}"], explanation=f"{x} {s} {y} = {top}, {e} = {top}/{d}.", lines=2, front=e)
    if sub == "of":
        d = rng.choice([2, 3, 4, 5])
        n = rng.randint(1, d - 1)
        k = rng.randint(2, 6 + 3 * level)
        right = k * n
        e = t(f"{n}/{d} de {d * k}", f"{n}/{d} of {d * k}", f"{n}/{d} de {d * k}")
        steps = [f"{d * k} ÷ {d} = {k}"] + ([f"{k} · {n} = {right}"] if n > 1 else [])
        return dict(key=e, prompt=t(f"¿Cuánto es {e}?", f"What is {e}?", f"Quanto é {e}?"), right=str(right), **numbers(rng, right, (1, 2)),
                    hint=t(f"Divide entre {d} y multiplica por {n}.", f"Divide by {d} and multiply by {n}.", f"Divida por {d} e multiplique por {n}."), steps=steps, explanation=", ".join(steps) + ".", lines=2, front=e)
    d = rng.randint(2, 9)
    n = rng.choice([x for x in range(1, d) if gcd(x, d) == 1])
    k = rng.randint(2, 2 + level)
    right = f"{n * k}/{d * k}"
    return dict(key=f"eq{n}/{d}", prompt=t(f"¿Qué fracción es igual a {n}/{d}?", f"Which fraction is equal to {n}/{d}?", f"Que fração é igual a {n}/{d}?"), right=right, **numbers(rng, n * k, form=lambda x: f"{x}/{d * k}"),
                hint=t("Multiplica arriba y abajo por el mismo número.", "Multiply top and bottom by the same number.", "Multiplique em cima e embaixo pelo mesmo número."),
                steps=[f"{n} · {k} = {n * k}", f"{d} · {k} = {d * k}", f"{n}/{d} = {right}"], explanation=f"{n} · {k} = {n * k}, {d} · {k} = {d * k}, {n}/{d} = {right}.", lines=2, front=f"{n}/{d} = ?/{d * k}", back=right)


def q_unit(rng, l, level, split):
    t = lambda *x: x[l]
    big, small, k = rng.choice(g.FACTORS)
    n = rng.randint(2, 5 + 5 * level)
    many = lambda u: g.UNIT[u][l][1]
    right = n * k
    factors = [10, 60, 100, 1000]
    return dict(key=f"{n}{big}", prompt=t(f"¿Cuántos {many(small)} hay en {n} {many(big)}?", f"How many {many(small)} are in {n} {many(big)}?", f"Quantos {many(small)} há em {n} {many(big)}?"), right=str(right),
                options=[str(n * f) for f in factors], place=factors.index(k), hint=t(f"1 {big} son {k} {small}.", f"1 {big} is {k} {small}.", f"1 {big} são {k} {small}."), steps=[f"{n} · {k} = {right}"],
                explanation=t(f"1 {big} son {k} {small}. {n} · {k} = {right}.", f"1 {big} is {k} {small}. {n} · {k} = {right}.", f"1 {big} são {k} {small}. {n} · {k} = {right}."), lines=2,
                front=f"1 {big} = ? {small}", back=f"{k} {small}")


def country(i, l):
    """(name with its article where the language wants one, 'of' phrase)"""
    c = CAPITALS[i][0][l]
    art = {"República Dominicana": "la República Dominicana", "Reino Unido": "el Reino Unido"} if l == 0 else {"United Kingdom": "the United Kingdom", "United States": "the United States", "Dominican Republic": "the Dominican Republic"}
    if l == 2:
        return f"{PT_OF.get(c, 'da')} {c}"
    return (("de ", "of ")[l] + art.get(c, c)).replace("de el ", "del ")


def q_cap(rng, l, level, split):
    t = lambda *x: x[l]
    i = rng.randrange(len(CAPITALS))
    city = CAPITALS[i][1][l]
    of = country(i, l)
    sentence = t(f"La capital {of} es {city}.", f"The capital {of} is {city}.", f"A capital {of} é {city}.")
    return dict(key=city, prompt=t(f"¿Cuál es la capital {of}?", f"What is the capital {of}?", f"Qual é a capital {of}?"), right=city, **words(city, city, {c[1][l] for c in CAPITALS} - {city}),
                hint=t(f"Empieza con la letra {city[0]}.", f"It begins with the letter {city[0]}.", f"Começa com a letra {city[0]}."), steps=[sentence], explanation=sentence, lines=1, front=CAPITALS[i][0][l], back=city)


def q_event(rng, l, level, split):
    t = lambda *x: x[l]
    name, year = rng.choice(EVENTS)
    sentence = upper(name[l]) + t(" fue en ", " was in ", " foi em ") + f"{year}."
    prompt = t(f"¿En qué año fue {name[0]}?", f"In which year was {name[1]}?", f"Em que ano foi {name[2]}?")
    c = year // 100 + 1
    return dict(key=name[0], prompt=prompt, right=str(year), **words(name[0], str(year), {str(y) for _, y in EVENTS} - {str(year)}), hint=t(f"Fue en el siglo {c}.", f"It was in century {c}.", f"Foi no século {c}."), steps=[sentence], explanation=sentence, lines=1,
                front=upper(name[l]), back=str(year))


def q_count(rng, l, level, split, only=None):
    t = lambda *x: x[l]
    name, n, s = COUNTS[rng.choice(only or range(len(COUNTS)))]
    sentence = s[l].replace("{n}", str(n))
    phrase = g.direct_english(name[1]) if l == 1 else name[l]
    prompt = ("¿" if l == 0 else "") + (phrase if l == 0 else upper(phrase)) + "?"
    prompt = prompt.replace("¿c", "¿C")
    return dict(key=name[0], prompt=prompt, right=str(n), **numbers(rng, n), hint=t(f"Son más de {n - 1 - n % 2}." if n > 3 else "Cuenta despacio.", f"There are more than {n - 1 - n % 2}." if n > 3 else "Count slowly.", f"São mais de {n - 1 - n % 2}." if n > 3 else "Conte devagar."),
                steps=[sentence], explanation=sentence, lines=1, front=prompt, back=str(n))


PLANETS = (["Mercurio", "Venus", "Marte", "Júpiter", "Saturno", "Urano", "Neptuno"], ["Mercury", "Venus", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune"], ["Mercúrio", "Vênus", "Marte", "Júpiter", "Saturno", "Urano", "Netuno"])
ORGANS = (["el corazón", "los pulmones", "el estómago", "los riñones", "el hígado"], ["the heart", "the lungs", "the stomach", "the kidneys", "the liver"], ["o coração", "os pulmões", "o estômago", "os rins", "o fígado"])
WRITERS = ["Miguel de Cervantes", "William Shakespeare", "Gabriel García Márquez", "Leonardo da Vinci"]
# The wrong answers of each entry of WHICH.
WRONG = [PLANETS, PLANETS, PLANETS, PLANETS, (["Marte", "el Sol", "Venus"], ["Mars", "the Sun", "Venus"], ["Marte", "o Sol", "Vênus"]),
         (["el Aconcagua", "el Kilimanjaro", "el Mont Blanc"], ["Aconcagua", "Kilimanjaro", "Mont Blanc"], ["o Aconcágua", "o Kilimanjaro", "o Mont Blanc"]),
         (["el Atlántico", "el Índico", "el Ártico"], ["the Atlantic", "the Indian", "the Arctic"], ["o Atlântico", "o Índico", "o Ártico"]),
         (["el elefante", "la jirafa", "el tiburón"], ["the elephant", "the giraffe", "the shark"], ["o elefante", "a girafa", "o tubarão"]),
         (["el león", "el caballo", "el perro"], ["the lion", "the horse", "the dog"], ["o leão", "o cavalo", "o cachorro"]),
         ORGANS, ORGANS, (["el hidrógeno", "el helio", "el nitrógeno"], ["hydrogen", "helium", "nitrogen"], ["o hidrogênio", "o hélio", "o nitrogênio"]),
         *[(["50 °C", "200 °C", "0 °C"],) * 3, (["50 °C", "100 °C", "10 °C"],) * 3],
         (["uno de oxígeno", "dos de carbono", "uno de hidrógeno"], ["one of oxygen", "two of carbon", "one of hydrogen"], ["um de oxigênio", "dois de carbono", "um de hidrogênio"]),
         (WRITERS,) * 3, (WRITERS,) * 3, (WRITERS,) * 3, (WRITERS,) * 3]


def q_which(rng, l, level, split, only=None):
    i = rng.choice(only or range(len(WHICH)))
    name, s = WHICH[i]
    right = re.search(r"\*\*(.+?)\*\*", s[l])[1]
    phrase = g.direct_english(name[1]) if l == 1 else name[l]
    prompt = ("¿" + upper(phrase) if l == 0 else upper(phrase)) + "?"
    sentence = plain(s[l])
    word = right.split()[-1]
    hint = (f"Una de sus palabras empieza con {word[0].upper()}.", f"One of its words begins with {word[0].upper()}.", f"Uma de suas palavras começa com {word[0].upper()}.")[l]
    if word[0].isdigit() or "°" in right:
        hint = ("Piensa en un termómetro.", "Think of a thermometer.", "Pense em um termômetro.")[l]
    return dict(key=name[0], prompt=prompt, right=right, **words(name[0], right, set(WRONG[i][l]) - {right}), hint=hint, steps=[sentence], explanation=sentence, lines=1, front=prompt, back=sentence)


def first_sentence(s):
    return plain(re.split(r"(?<=[.:])\s", s)[0])


def topic_parts(i, l):
    """(name, first sentence of the definition, the same with a gap, hint)"""
    names, definition, simpler = TOPICS[i]
    bold = re.search(r"\*\*(.+?)\*\*", definition[l])[1]
    sentence = first_sentence(definition[l]).rstrip(":")
    sentence = sentence if sentence.endswith(".") else sentence + "."
    gap = sentence.replace(bold, "___", 1)
    return bold, sentence, gap, first_sentence(simpler[l]).replace(":", ".")


def q_define(rng, l, level, split, i=None):
    i = rng.randrange(len(TOPICS)) if i is None else i
    bold, sentence, gap, hint = topic_parts(i, l)
    lower = lambda s: s[0].lower() + s[1:]
    others = {lower(topic_parts(j, l)[0]) for j in range(len(TOPICS))} - {lower(bold)}
    return dict(key=bold, prompt=("Completa: ", "Complete: ", "Complete: ")[l] + gap, right=lower(bold), **words(TOPICS[i][0][0][0], lower(bold), others), hint=hint, steps=[sentence], explanation=sentence, lines=2, front=upper(bold), back=sentence)


# ---------------------------------------------------------------------------------------------- topics

SHAPES = [0, 1, 2, 3, 4, 5, 14, 15]
SPACE_COUNTS, SPACE_WHICH = [13], [0, 1, 2, 3, 4]


def q_science(rng, l, level, split):
    return rng.choice([q_which, q_count, q_define])(rng, l, level, split)


def q_shapes(rng, l, level, split):
    return q_count(rng, l, level, split, SHAPES)


def q_space(rng, l, level, split):
    return q_which(rng, l, level, split, SPACE_WHICH) if rng.random() < .8 else q_count(rng, l, level, split, SPACE_COUNTS)


def op_maker(op):
    return lambda rng, l, level, split: q_sum(rng, l, level, split, op)


# name: (ways to ask in three languages, title, maker of questions, what follows when its questions are used up, tree)
GROUPS = {
    "mul": (("tablas de multiplicar|las tablas|la multiplicación|multiplicaciones|multiplicar|las tablas de multiplicar", "times tables|the times tables|multiplication|multiplying|multiplication tables", "tabuada|as tabuadas|a multiplicação|multiplicações|multiplicar|tabuadas"),
            ("Tablas de multiplicar", "Times tables", "Tabuada"), op_maker("mul"), None, "operations"),
    "add": (("sumas|la suma|sumar|sumas de dos cifras|la adición", "addition|adding|sums|adding numbers", "somas|a soma|somar|adição|a adição"), ("Sumas", "Addition", "Somas"), op_maker("add"), None, "operations"),
    "sub": (("restas|la resta|restar|la sustracción", "subtraction|subtracting|taking away", "subtração|a subtração|subtrair|subtrações"), ("Restas", "Subtraction", "Subtração"), op_maker("sub"), None, "operations"),
    "div": (("divisiones|la división|dividir|divisiones exactas", "division|dividing|divisions", "divisão|a divisão|dividir|divisões"), ("Divisiones", "Division", "Divisão"), op_maker("div"), None, "operations"),
    "mix": (("operaciones|las cuatro operaciones|aritmética|cuentas|cálculo mental|matemáticas|mate|números|operaciones básicas", "operations|the four operations|arithmetic|mental maths|maths|math|numbers|mathematics", "operações|as quatro operações|aritmética|contas|cálculo mental|matemática|números"),
            ("Cuentas", "Sums", "Contas"), q_sum, None, "operations"),
    "frac": (("fracciones|las fracciones|suma de fracciones|fracciones equivalentes|quebrados|una fracción", "fractions|adding fractions|equivalent fractions|a fraction|the fractions", "frações|as frações|soma de frações|frações equivalentes|uma fração"), ("Fracciones", "Fractions", "Frações"), q_frac, None, "una fracción"),
    "unit": (("unidades|unidades de medida|las medidas|conversión de unidades|metros y centímetros|medidas", "units|units of measure|converting units|measures|metres and centimetres", "unidades|unidades de medida|as medidas|conversão de unidades|metros e centímetros|medidas"),
             ("Unidades de medida", "Units of measure", "Unidades de medida"), q_unit, q_sum, "units"),
    "cap": (("capitales|las capitales|capitales del mundo|países y capitales|geografía|capitales de América|capitales de Europa", "capitals|capital cities|capitals of the world|countries and capitals|geography|capitals of Europe", "capitais|as capitais|capitais do mundo|países e capitais|geografia|capitais da América|capitais da Europa"),
            ("Capitales", "Capitals", "Capitais"), q_cap, None, None),
    "event": (("historia|la historia|historia universal|fechas históricas|fechas importantes", "history|world history|historical dates|important dates", "história|a história|história geral|datas históricas|datas importantes"), ("Fechas de la historia", "Dates of history", "Datas da história"), q_event, None, None),
    "shape": (("figuras|las figuras|figuras geométricas|geometría|polígonos|los polígonos|triángulos y cuadrados", "shapes|geometric shapes|geometry|polygons|triangles and squares", "figuras|as figuras|figuras geométricas|geometria|polígonos|os polígonos|triângulos e quadrados"), ("Figuras", "Shapes", "Figuras"), q_shapes, q_sum, "shapes"),
    "space": (("los planetas|planetas|el espacio|astronomía|el sistema solar|sistema solar", "the planets|planets|space|astronomy|the solar system|solar system", "os planetas|planetas|o espaço|astronomia|o sistema solar|sistema solar"), ("Los planetas", "The planets", "Os planetas"), q_space, q_science, "el sistema solar"),
    "science": (("ciencias|ciencias naturales|las ciencias|cultura general|biología|el cuerpo humano|la naturaleza", "science|natural science|general knowledge|biology|the human body|nature", "ciências|ciências naturais|as ciências|cultura geral|biologia|o corpo humano|a natureza"), ("Ciencias", "Science", "Ciências"), q_science, None, None),
}
FRAME = (["{c}", "{c}", "{c}", "{c}", "repaso de {c}", "examen de {c}", "ejercicios de {c}", "preguntas de {c}", "{c} para cuarto grado", "quiero practicar {c}", "todo sobre {c}", "{c}, por favor", "un cuestionario de {c}", "{c} (quinto grado)"],
         ["{c}", "{c}", "{c}", "{c}", "review of {c}", "test on {c}", "exercises on {c}", "questions about {c}", "{c} for grade 4", "I want to practise {c}", "all about {c}", "{c}, please", "a quiz about {c}", "{c} (grade 5)"],
         ["{c}", "{c}", "{c}", "{c}", "revisão de {c}", "prova de {c}", "exercícios de {c}", "perguntas de {c}", "{c} para o quarto ano", "quero praticar {c}", "tudo sobre {c}", "{c}, por favor", "um questionário de {c}", "{c} (quinto ano)"])
DEMO_TITLE = ("Solo la demo: cuentas", "Only the demo: sums", "Só a demo: contas")
DEMO_LEAD = ("Soy solo la demo y no conozco ese tema. Mientras tanto: ", "I am only the demo and do not know that topic. Meanwhile: ", "Sou só a demo e não conheço esse tema. Enquanto isso: ")
DEMO_CARD = (("¿Y mi tema?", "Soy solo la demo y no lo conozco. Instala el tutor completo en Ajustes. Aquí tienes cuentas."), ("And my topic?", "I am only the demo and do not know it. Install the full tutor in Settings. Here are some sums."),
             ("E o meu tema?", "Sou só a demo e não o conheço. Instale o tutor completo em Configurações. Aqui há contas."))


class Topic:
    """What a person typed, what the title is, how questions are made."""

    def __init__(self, rng, l, split, drawn=False):
        self.l, self.known, self.i, self.n = l, True, None, None
        r = rng.random()
        if r < .56:
            self.group = rng.choice(list(GROUPS))
            asks, title, self.maker, self.then, self.tree = GROUPS[self.group]
            name = rng.choice(asks[l].split("|"))
            self.title = title[l]
            if self.group == "mul" and rng.random() < .4:
                self.n = rng.randint(2, 12)
                name = rng.choice((["la tabla del {n}", "tabla del {n}", "multiplicar por {n}"], ["the {n} times table", "times table of {n}", "multiplying by {n}"], ["a tabuada do {n}", "tabuada do {n}", "multiplicar por {n}"])[l]).replace("{n}", str(self.n))
                self.title = ("Tabla del {n}", "Times table of {n}", "Tabuada do {n}")[l].replace("{n}", str(self.n))
                self.maker, self.then = lambda rng, l, level, split: q_sum(rng, l, 0, split, "mul", self.n), op_maker("mul")
        elif r < .70:
            self.group, self.i = "topic", rng.randrange(len(TOPICS))
            names = TOPICS[self.i][0]
            self.tree = names[0][0]
            name = rng.choice(names[l])
            self.title = upper(topic_parts(self.i, l)[0])
            self.maker, self.then = q_science, None
        else:
            self.group, self.known, self.tree = "demo", False, "demo"
            which = "test" if split == "test" else "train"
            name = rng.choice(g.UNKNOWN[which][l]) if which == "test" or rng.random() < .6 else rng.choice(g.PEOPLE[which]) if rng.random() < .2 else g.invented(rng, l) if rng.random() < .6 else rng.choice(g.NOUNS[l])
            self.title = DEMO_TITLE[l]
            self.maker, self.then = q_sum, None
        frame = "{c}" if drawn and rng.random() < .5 else rng.choice(FRAME[l])
        self.text = frame.replace("{c}", name).replace("de el ", "del ")
        r = rng.random()
        if r < .35:
            self.text = upper(self.text)
        elif r < .6:
            self.text = self.text.lower()
        if l != 1 and rng.random() < .25:
            self.text = g.strip_accents(self.text)
        if rng.random() < .08:
            self.text = g.typo(rng, self.text)
        self.text = " ".join(self.text.split())

    def questions(self, rng, count, level, split, used=()):
        """`count` different questions, about the topic as long as there are any."""
        out, seen, tries = [], set(used), 0
        if self.i is not None:
            out.append(q_define(rng, self.l, level, split, self.i))
            seen.add(out[0]["prompt"])
            if out[0]["prompt"] in used:
                out.clear()
        keys = {q["key"] for q in out}
        if not self.known:
            level = 0 if rng.random() < .7 else level
        while len(out) < count:
            maker = self.maker if tries < 60 or not self.then else self.then
            q = maker(rng, self.l, level, split)
            tries += 1
            if q["key"] in keys and tries < 400 or q["prompt"] in seen:
                continue
            keys.add(q["key"])
            seen.add(q["prompt"])
            out.append(q)
        if not self.known and not used:
            lead = DEMO_LEAD[self.l] + out[0]["prompt"]
            if len(lead) > MEDIUM:
                q = q_sum(rng, self.l, 0, split)
                lead = DEMO_LEAD[self.l] + q["prompt"]
                out[0] = q
            out[0] = dict(out[0], prompt=lead)
        return out
