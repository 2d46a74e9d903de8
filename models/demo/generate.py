"""Writes the text that the demo model learns from: short tutoring dialogues in Spanish, English and Portuguese.

Everything is made here from templates and a seed; nothing is read but this folder and the three prompts of the tutor.
A question template belongs either to training or to the held-out test ("test" lists), never to both; so does every
pair of numbers larger than the times tables.

    python generate.py --seed 7 --count 3          shows dialogues
    python generate.py --seed 7 --test 3           shows held-out prompts of each kind
"""

import argparse
import json
import math
import random
import re
import unicodedata
import zlib
from pathlib import Path

from facts import CAPITALS, CODE, COUNTS, EVENTS, LONG, PT_OF, TOPICS, WHICH

LANGS = ("es", "en", "pt")
HERE = Path(__file__).resolve().parent
PROMPTS = [(HERE / f"../../crates/tutor/prompts/tutor.{l}.txt").read_text(encoding="utf-8").strip() for l in LANGS]
KINDS = ("greet", "add", "sub", "mul", "div", "word", "numbers", "table", "frac", "unit", "fact", "define", "check",
         "count", "long", "exercise", "demo", "followup")
MARK = ("Resultado", "Answer", "Resposta")
TIMES = "\\times"
DIV = "\\div"


def pick(rng, template):
    """Expands every [a|b|c] of a template."""
    return re.sub(r"\[([^\[\]]*)\]", lambda m: rng.choice(m.group(1).split("|")), template)


# ---------------------------------------------------------------------------------------------- numbers


def held_out(op, a, b):
    if (a, b) in LADDER[op]:
        return False
    if op in ("add", "mul"):
        a, b = min(a, b), max(a, b)
    easy = {"add": a < 10 and b < 10, "sub": a <= 18 and b < 10, "mul": a <= 12 and b <= 12,
            "div": b <= 12 and a // max(b, 1) <= 12 and a % max(b, 1) == 0}[op]
    return not easy and zlib.crc32(f"{op} {a} {b}".encode()) % 10 == 3


def sample_pair(rng, op, held):
    while True:
        two, one = rng.randint(10, 99), rng.randint(0, 9)
        r = rng.random()
        if op == "add":
            a, b = (two, rng.randint(10, 99)) if r < .55 else (two, one) if r < .7 else (one, two) if r < .8 else (one, rng.randint(0, 9))
        elif op == "sub":
            a, b = (two, rng.randint(10, 99)) if r < .6 else (two, one) if r < .85 else (one, rng.randint(0, 9))
            if a < b and rng.random() < .85:
                a, b = b, a
        elif op == "mul":
            a, b = ((rng.randint(0, 12), rng.randint(0, 12)) if r < .4 else (rng.randint(11, 99), rng.randint(2, 9)) if r < .65
                    else (rng.randint(2, 9), rng.randint(11, 99)) if r < .75 else (rng.randint(11, 99), rng.randint(11, 99)))
        else:
            b = rng.randint(1, 12)
            a = b * rng.randint(0 if r < .02 else 1, 12) if r < .3 else b * rng.randint(2, 99 // b) if r < .45 else rng.randint(2, 99)
        if held_out(op, a, b) == held:
            return a, b


def value(op, a, b):
    return {"add": a + b, "sub": a - b, "mul": a * b, "div": a // b if b else 0}[op]


def following(op, a, b):
    if op == "add":
        return a, b + 1 if b < 99 else b - 1
    if op == "sub":
        return (b, a) if a < b else (a, b + 1 if b < a else b - 1) if a else (5, 2)
    if op == "mul":
        top = 12 if a <= 12 and b <= 12 else 9 if b <= 9 else 99
        return a, b + 1 if b < top else b - 1
    q = a // b
    return (b * (q + 1) if b * (q + 1) <= 99 else b * (q - 1)), b


SIGN = {"add": "+", "sub": "-", "mul": TIMES, "div": DIV}


def tex(op, a, b):
    return f"{a} {SIGN[op]} {b}"


# what a student types: symbols, then words per language
SYMBOLS = {"add": ["+"], "sub": ["-", "−", "–"], "mul": ["x", "×", "*", "·", "X"], "div": ["/", "÷", ":"]}
SPOKEN = {
    "add": (["más", "mas", "más", "+"], ["plus", "plus", "and"], ["mais", "mais", "+"]),
    "sub": (["menos"], ["minus"], ["menos"]),
    "mul": (["por", "por", "multiplicado por"], ["times", "times", "multiplied by"], ["vezes", "vezes", "multiplicado por"]),
    "div": (["entre", "dividido entre", "dividido por"], ["divided by", "divided by", "over"], ["dividido por", "dividido por"]),
}
UNITS_ = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte".split(),
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split(),
    "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis dezessete dezoito dezenove vinte".split(),
)
TENS_ = (
    ["", "", "veinte", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"],
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"],
    ["", "", "vinte", "trinta", "quarenta", "cinquenta", "sessenta", "setenta", "oitenta", "noventa"],
)
ACC = {"veintidos": "veintidós", "veintitres": "veintitrés", "veintiseis": "veintiséis"}


def words(n, l):
    if n <= 20:
        return UNITS_[l][n]
    t, u = divmod(n, 10)
    if u == 0:
        return TENS_[l][t]
    if l == 0 and t == 2:
        w = "veinti" + UNITS_[0][u]
        return ACC.get(w, w)
    return TENS_[l][t] + (" y ", "-", " e ")[l] + UNITS_[l][u]


def expression(rng, op, a, b, l, neutral=False):
    r = rng.random()
    if neutral or r < .5:
        s = rng.choice(SYMBOLS[op])
        if op == "div" and b and (a < b or a % b):
            s = rng.choice("÷:") if a < b else s
        gap = rng.choice(["", " ", " "])
        return f"{a}{gap}{s}{gap}{b}"
    s = rng.choice(SPOKEN[op][l])
    if r > .93 and a <= 99 and b <= 99:
        return f"{words(a, l)} {s} {words(b, l)}"
    return f"{a} {s} {b}"


# ---------------------------------------------------------------------------------------------- questions: arithmetic

# {e} an expression of any of the four operations
ASK = {
    "train": (
        ["¿[Cuánto es|Cuánto da|Cuánto vale|Cuánto hace|Qué da|A cuánto es igual] {e}?", "[Calcula|Resuelve|Haz|Calcúlame|Resuélveme] {e}", "{e}", "{e} =", "{e} = ?",
         "[Ayúdame|Me ayudas|Puedes ayudarme] con {e}", "[No sé|No me sale|No entiendo] {e}", "[Dime|Sabes|Necesito saber|Quiero saber] cuánto es {e}",
         "¿[Me dices|Puedes decirme|Me puedes decir] cuánto es {e}?", "[Explícame|Enséñame|Muéstrame] [cómo se hace|cómo hacer|paso a paso|] {e}", "¿Cómo [se hace|hago|resuelvo|calculo] {e}?",
         "[Mi tarea es|La tarea dice|En la tarea me piden|El ejercicio es] {e}", "el resultado de {e}", "¿Cuál es el resultado de {e}?", "[y|pero] cuánto es {e}", "{e} [por favor|gracias|porfa]",
         "Tengo que [hacer|calcular|resolver] {e} y no sé cómo", "¿Cuánto sería {e}?", "la operación {e}", "necesito {e} para mi tarea",
         "¿Qué resultado da {e}?", "Tengo [dudas|una duda] con {e}", "Me equivoqué en {e}", "En [el examen|la prueba] [salió|venía] {e}", "Mi [mamá|papá|abuela|prima|tía] [no sabe|quiere saber|dice que es difícil] {e}", "¿Y si fuera {e}?", "No [recuerdo|me acuerdo de] cómo es {e}",
         "[Quiero|Quisiera|Me gustaría] [aprender|saber|hacer|calcular] {e}", "[Revisemos|Veamos|Empecemos con|Sigamos con|Vamos con] {e}", "[Ayer|El lunes|La semana pasada] [hicimos|copiamos|resolvimos] {e} en [la pizarra|el cuaderno|casa]", "[La profesora|El profe|La maestra] escribió {e} y me perdí",
         "estoy practicando {e}", "{e} es difícil para mí", "[Ando|Estoy] [confundido|confundida|perdido|perdida] con {e}", "¿Cómo llego al resultado de {e}?", "¿Qué [obtengo|sale|queda] con {e}?", "[Primera|Segunda|Siguiente] [cuenta|pregunta|operación]: {e}", "me toca {e}", "a ver {e}", "[Cuenta|Ejercicio|Pregunta|Número|Tarea] {k}: {e}"],
        ["[What is|What's|How much is|What does|Whats] {e}[ equal|]?", "[Calculate|Solve|Work out|Compute|Do] {e}", "{e}", "{e} =", "{e} = ?", "[Help me|Can you help me] with {e}",
         "[I don't know|I can't do|I don't get] {e}", "[Tell me|Do you know|I need to know|I want to know] what {e} is", "[Can|Could] you [tell me|calculate|solve] {e}?", "[Explain|Show me|Teach me] [how to do|step by step|] {e}",
         "How do [I|you] [do|solve|work out|calculate] {e}?", "[My homework is|The homework says|The exercise is] {e}", "the result of {e}", "What is the result of {e}?", "[and|but] what is {e}",
         "{e} [please|thanks]", "I have to [do|calculate|solve] {e} and I don't know how", "How much would {e} be?", "the operation {e}", "I need {e} for my homework",
         "What result does {e} give?", "I have [doubts|a doubt] about {e}", "I made a mistake in {e}", "[The exam|The quiz] [had|showed] {e}", "My [mum|dad|grandma|cousin|aunt] [can't do|wants to know|says it is hard:] {e}", "What if it were {e}?", "I don't [remember|recall] how to do {e}",
         "I [want|would like|need] to [learn|know|do|calculate] {e}", "[Let's review|Let's see|Let's start with|Let's go on with|Let's do] {e}", "[Yesterday|On Monday|Last week] we [did|copied|solved] {e} [on the board|in the notebook|at home]", "[The teacher|Our teacher] wrote {e} and I got lost",
         "I am practising {e}", "{e} is hard for me", "I am [confused|lost|unsure] with {e}", "How do I get to the result of {e}?", "What [do I get|comes out|is left] with {e}?", "[First|Second|Next] [sum|question|one]: {e}", "it is my turn: {e}", "let me see {e}", "[Sum|Exercise|Question|Number|Task] {k}: {e}"],
        ["[Quanto é|Quanto dá|Quanto vale|Quanto faz|A quanto é igual] {e}?", "[Calcule|Resolva|Faça|Calcula|Resolve] {e}", "{e}", "{e} =", "{e} = ?", "[Me ajuda|Me ajude|Pode me ajudar] com {e}",
         "[Não sei|Não consigo|Não entendo] {e}", "[Diga|Você sabe|Preciso saber|Quero saber] quanto é {e}", "[Pode me dizer|Você me diz|Me diz] quanto é {e}?", "[Explique|Ensine|Mostre] [como se faz|como fazer|passo a passo|] {e}",
         "Como [se faz|faço|resolvo|calculo] {e}?", "[Minha tarefa é|A tarefa diz|Na tarefa pedem|O exercício é] {e}", "o resultado de {e}", "Qual é o resultado de {e}?", "[e|mas] quanto é {e}", "{e} [por favor|obrigado|obrigada]",
         "Tenho que [fazer|calcular|resolver] {e} e não sei como", "Quanto seria {e}?", "a operação {e}", "preciso de {e} para a tarefa",
         "Que resultado dá {e}?", "Tenho [dúvidas|uma dúvida] com {e}", "Errei em {e}", "[No exame|Na prova] [caiu|veio] {e}", "Minha [mãe|avó|prima|tia] [não sabe|quer saber|diz que é difícil] {e}", "E se fosse {e}?", "Não [lembro|me lembro de] como é {e}",
         "[Quero|Queria|Eu gostaria de] [aprender|saber|fazer|calcular] {e}", "[Vamos revisar|Vejamos|Comecemos com|Continuemos com|Vamos com] {e}", "[Ontem|Na segunda|Na semana passada] [fizemos|copiamos|resolvemos] {e} [no quadro|no caderno|em casa]", "[A professora|O professor] escreveu {e} e me perdi",
         "estou praticando {e}", "{e} é difícil para mim", "[Ando|Estou] [confuso|confusa|perdido|perdida] com {e}", "Como chego ao resultado de {e}?", "O que [obtenho|sai|fica] com {e}?", "[Primeira|Segunda|Próxima] [conta|pergunta|operação]: {e}", "é a minha vez: {e}", "vamos ver {e}", "[Conta|Exercício|Pergunta|Número|Tarefa] {k}: {e}"],
    ),
    "test": (
        ["Estoy atascado en esta cuenta: {e}", "Si hago {e}, ¿qué número obtengo?", "Mi hermano me preguntó {e}. ¿Qué le digo?", "hoy en clase vimos {e} pero no lo copié", "quisiera entender bien {e}", "¿Qué número sale al hacer {e}?"],
        ["I am stuck on this one: {e}", "If I do {e}, which number do I get?", "My brother asked me {e}. What do I say?", "today in class we saw {e} but I did not copy it", "I would like to understand {e} well", "Which number comes out of {e}?"],
        ["Estou travado nesta conta: {e}", "Se eu fizer {e}, que número obtenho?", "Meu irmão me perguntou {e}. O que eu digo?", "hoje na aula vimos {e} mas não copiei", "gostaria de entender bem {e}", "Que número sai ao fazer {e}?"],
    ),
}
# templates of one operation; {a}, {b} the numbers
ASK_OP = {
    "add": {
        "train": (["[suma|súmame] {a} [y|con] {b}", "la suma de {a} y {b}", "¿Cuánto [suman|es la suma de] {a} y {b}?", "[agrega|añade] {b} a {a}", "suma {a} + {b}", "[Puedes|Podrías|Me ayudas a|Cómo puedo] sumar {a} [y|con|más] {b}", "suma de {a} con {b}", "[haz|resuelve] la suma {a} + {b}"],
                  ["[add|sum] {a} and {b}", "the sum of {a} and {b}", "What is the sum of {a} and {b}?", "add {b} to {a}", "{a} and {b} together", "[Can you|Could you|How do I] add {a} [and|to] {b}", "sum of {a} and {b}", "[do|solve] the sum {a} + {b}"],
                  ["[some|soma] {a} [e|com] {b}", "a soma de {a} e {b}", "Quanto é a soma de {a} e {b}?", "[acrescente|adicione] {b} a {a}", "soma {a} + {b}", "[Pode|Poderia|Me ajuda a|Como posso] somar {a} [e|com|mais] {b}", "soma de {a} com {b}", "[faça|resolva] a soma {a} + {b}"]),
        "test": (["quiero sumar {a} y {b}", "¿me haces la suma de {a} con {b}?"], ["I want to add {a} and {b}", "Could you do the sum of {a} and {b}?"], ["quero somar {a} e {b}", "você faz a soma de {a} com {b}?"])},
    "sub": {
        "train": (["[resta|réstale] {b} a {a}", "a {a} [quítale|réstale] {b}", "la resta de {a} [y|menos] {b}", "[resta|haz la resta] {a} - {b}", "¿Cuánto es {a} si le quito {b}?", "[Puedes|Podrías|Me ayudas a|Cómo puedo] restar {b} [a|de] {a}", "[haz|resuelve] la resta {a} menos {b}", "si a {a} le [quito|resto] {b}, ¿cuánto queda?"],
                  ["[subtract|take away] {b} from {a}", "{a} take away {b}", "take {b} [from|away from] {a}", "subtract: {a} - {b}", "What is {a} if I take away {b}?", "[Can you|Could you|How do I] subtract {b} from {a}", "[do|solve] the subtraction {a} minus {b}", "if I take {b} from {a}, how much is left?"],
                  ["[subtraia|tire|subtrai] {b} de {a}", "de {a} [tire|tira] {b}", "a subtração de {a} [e|menos] {b}", "subtração: {a} - {b}", "Quanto é {a} se eu tirar {b}?", "[Pode|Poderia|Me ajuda a|Como posso] subtrair {b} de {a}", "[faça|resolva] a subtração {a} menos {b}", "se de {a} eu [tiro|subtraio] {b}, quanto sobra?"]),
        "test": (["quiero restar {b} a {a}", "¿me haces la resta {a} menos {b}?"], ["I want to subtract {b} from {a}", "Could you do the subtraction {a} minus {b}?"], ["quero subtrair {b} de {a}", "você faz a subtração {a} menos {b}?"])},
    "mul": {
        "train": (["[multiplica|multiplícame] {a} por {b}", "la multiplicación de {a} por {b}", "el producto de {a} y {b}", "{a} veces {b}", "multiplicar {a} x {b}", "[Puedes|Podrías|Me ayudas a|Cómo puedo] multiplicar {a} por {b}", "[haz|resuelve] la multiplicación {a} x {b}"],
                  ["multiply {a} by {b}", "the product of {a} and {b}", "{a} groups of {b}", "What is the product of {a} and {b}?", "multiply: {a} x {b}", "[Can you|Could you|How do I] multiply {a} by {b}", "[do|solve] the multiplication {a} x {b}"],
                  ["[multiplique|multiplica] {a} por {b}", "a multiplicação de {a} por {b}", "o produto de {a} e {b}", "multiplicar {a} x {b}", "Qual é o produto de {a} por {b}?", "[Pode|Poderia|Me ajuda a|Como posso] multiplicar {a} por {b}", "[faça|resolva] a multiplicação {a} x {b}"]),
        "test": (["quiero multiplicar {a} por {b}", "¿me haces la multiplicación {a} por {b}?"], ["I want to multiply {a} by {b}", "Could you do the multiplication {a} times {b}?"], ["quero multiplicar {a} por {b}", "você faz a multiplicação {a} vezes {b}?"])},
    "div": {
        "train": (["[divide|divídeme] {a} [entre|por] {b}", "la división de {a} entre {b}", "[reparte|repartir] {a} entre {b}", "dividir {a} entre {b}", "¿Cuántas veces cabe el {b} en el {a}?", "[Puedes|Podrías|Me ayudas a|Cómo puedo] dividir {a} [entre|por] {b}", "[haz|resuelve] la división {a} [entre|÷] {b}"],
                  ["divide {a} by {b}", "the division of {a} by {b}", "share {a} [between|among] {b}", "divide: {a} ÷ {b}", "How many times does {b} go into {a}?", "[Can you|Could you|How do I] divide {a} by {b}", "[do|solve] the division {a} ÷ {b}"],
                  ["[divida|divide] {a} por {b}", "a divisão de {a} por {b}", "[reparta|repartir] {a} entre {b}", "dividir {a} por {b}", "Quantas vezes o {b} cabe no {a}?", "[Pode|Poderia|Me ajuda a|Como posso] dividir {a} por {b}", "[faça|resolva] a divisão {a} [por|÷] {b}"]),
        "test": (["quiero dividir {a} entre {b}", "¿me haces la división {a} entre {b}?"], ["I want to divide {a} by {b}", "Could you do the division {a} divided by {b}?"], ["quero dividir {a} por {b}", "você faz a divisão {a} dividido por {b}?"])},
}
NAMES = "Ana Luis María Pedro Sofía Juan Lucía Mateo Julia Tomás Emma Leo Sara Daniel Clara Hugo Inés Bruno Laura Pablo".split()
OBJECTS = ("manzanas|lápices|libros|canicas|galletas|flores|estampas|naranjas|fichas|dulces|pelotas|tarjetas".split("|"),
           "apples|pencils|books|marbles|cookies|flowers|stickers|oranges|coins|sweets|balls|cards".split("|"),
           "maçãs|lápis|livros|bolinhas|biscoitos|flores|figurinhas|laranjas|fichas|doces|bolas|cartas".split("|"))
WORD = {
    "add": {
        "train": (["{N} tiene {a} {o} y [compra|recibe|encuentra] {b} más. ¿Cuántas tiene [ahora|en total]?", "Tengo {a} {o} y me dan {b}. ¿Cuántas tengo?", "En una caja hay {a} {o} y en otra hay {b}. ¿Cuántas hay en total?", "{N} lee {a} páginas hoy y {b} mañana. ¿Cuántas lee en total?", "Hay {a} {o} y llegan {b} más. ¿Cuántas hay ahora?", "{N} junta {a} {o} y {N} junta {b}. ¿Cuántas juntan entre los dos?", "Si compro {a} {o} y luego {b}, ¿cuántas compré en total?", "En el patio había {a} {o} y [ponen|traen|agregan] {b}. ¿Cuántas hay en total?"],
                  ["{N} has {a} {o} and [buys|gets|finds] {b} more. How many does {N} have [now|in total]?", "I have {a} {o} and I get {b}. How many do I have?", "There are {a} {o} in one box and {b} in another. How many are there in total?", "{N} reads {a} pages today and {b} tomorrow. How many in total?", "There are {a} {o} and {b} more arrive. How many are there now?", "{N} collects {a} {o} and {N} collects {b}. How many do they have together?", "If I buy {a} {o} and then {b}, how many did I buy in total?", "There were {a} {o} in the yard and they [put|bring] {b} more. How many are there in total?"],
                  ["{N} tem {a} {o} e [compra|recebe|encontra] mais {b}. Quantas tem [agora|no total]?", "Tenho {a} {o} e ganho {b}. Quantas tenho?", "Em uma caixa há {a} {o} e em outra há {b}. Quantas há no total?", "{N} lê {a} páginas hoje e {b} amanhã. Quantas lê no total?", "Há {a} {o} e chegam mais {b}. Quantas há agora?", "{N} junta {a} {o} e {N} junta {b}. Quantas juntam os dois?", "Se compro {a} {o} e depois {b}, quantas comprei no total?", "No pátio havia {a} {o} e [põem|trazem] mais {b}. Quantas há no total?"]),
        "test": (["En la mesa hay {a} {o}. {N} pone {b} más. ¿Cuántas hay en total?"], ["There are {a} {o} on the table. {N} adds {b} more. How many are there in total?"], ["Na mesa há {a} {o}. {N} coloca mais {b}. Quantas há no total?"])},
    "sub": {
        "train": (["{N} tiene {a} {o} y [regala|pierde|da] {b}. ¿Cuántas le quedan?", "Tengo {a} {o} y pierdo {b}. ¿Cuántas me quedan?", "Había {a} {o} y se vendieron {b}. ¿Cuántas quedan?", "De {a} {o}, {N} come {b}. ¿Cuántas quedan?", "En la [caja|bolsa|cesta] hay {a} {o} y [saco|sacan|tiran] {b}. ¿Cuántas quedan?", "{N} compró {a} {o} y usó {b}. ¿Cuántas le quedan?", "Si de {a} {o} se [rompen|pierden|van] {b}, ¿cuántas quedan?"],
                  ["{N} has {a} {o} and [gives away|loses|eats] {b}. How many are left?", "I have {a} {o} and I lose {b}. How many are left?", "There were {a} {o} and {b} were sold. How many are left?", "Out of {a} {o}, {N} eats {b}. How many are left?", "There are {a} {o} in the [box|bag|basket] and I [remove|throw away|use] {b}. How many are left?", "{N} bought {a} {o} and used {b}. How many are left?", "If {b} of {a} {o} [break|get lost], how many are left?"],
                  ["{N} tem {a} {o} e [dá|perde|vende] {b}. Quantas sobram?", "Tenho {a} {o} e perco {b}. Quantas me sobram?", "Havia {a} {o} e foram vendidas {b}. Quantas sobram?", "De {a} {o}, {N} come {b}. Quantas sobram?", "Na [caixa|bolsa|cesta] há {a} {o} e [tiro|tiram|jogam fora] {b}. Quantas sobram?", "{N} comprou {a} {o} e usou {b}. Quantas sobram?", "Se de {a} {o} [quebram|se perdem] {b}, quantas sobram?"]),
        "test": (["En la tienda había {a} {o}. {N} se lleva {b}. ¿Cuántas quedan?"], ["The shop had {a} {o}. {N} takes {b}. How many are left?"], ["Na loja havia {a} {o}. {N} leva {b}. Quantas sobram?"])},
    "mul": {
        "train": (["Hay {a} cajas con {b} {o} cada una. ¿Cuántas hay en total?", "{N} compra {a} bolsas de {b} {o}. ¿Cuántas {o} tiene?", "Si tengo {a} filas de {b} {o}, ¿cuántas {o} hay?", "Cada caja tiene {b} {o}. ¿Cuántas {o} hay en {a} cajas?", "{N} hace {a} paquetes con {b} {o} en cada uno. ¿Cuántas {o} usa?", "Son {a} mesas y en cada mesa hay {b} {o}. ¿Cuántas hay en total?", "{a} niños traen {b} {o} cada uno. ¿Cuántas {o} traen en total?"],
                  ["There are {a} boxes with {b} {o} each. How many are there in total?", "{N} buys {a} bags of {b} {o}. How many {o} does {N} have?", "If I have {a} rows of {b} {o}, how many {o} are there?", "Each box has {b} {o}. How many {o} are in {a} boxes?", "{N} makes {a} packs with {b} {o} in each. How many {o} are used?", "There are {a} tables and each table has {b} {o}. How many are there in total?", "{a} children bring {b} {o} each. How many {o} do they bring in total?"],
                  ["Há {a} caixas com {b} {o} cada uma. Quantas há no total?", "{N} compra {a} sacos de {b} {o}. Quantas {o} tem?", "Se tenho {a} filas de {b} {o}, quantas {o} há?", "Cada caixa tem {b} {o}. Quantas {o} há em {a} caixas?", "{N} faz {a} pacotes com {b} {o} em cada um. Quantas {o} usa?", "São {a} mesas e em cada mesa há {b} {o}. Quantas há no total?", "{a} crianças trazem {b} {o} cada uma. Quantas {o} trazem no total?"]),
        "test": (["{N} llena {a} bolsas con {b} {o} cada una. ¿Cuántas {o} hay en total?"], ["{N} fills {a} bags with {b} {o} each. How many {o} are there in total?"], ["{N} enche {a} sacos com {b} {o} cada um. Quantas {o} há no total?"])},
    "div": {
        "train": (["{N} reparte {a} {o} entre {b} amigos. ¿Cuántas recibe cada uno?", "Tengo {a} {o} y las pongo en {b} cajas iguales. ¿Cuántas hay en cada caja?", "Hay {a} {o} para {b} niños. ¿Cuántas le tocan a cada uno?", "Entre {b} [niños|primos|personas] se reparten {a} {o}. ¿Cuántas le tocan a cada uno?", "{b} [niños|primos|hermanos] comparten {a} {o}. ¿Cuántas [tiene|le tocan a] cada uno?", "En {b} cajas iguales guardo {a} {o}. ¿Cuántas hay en cada caja?"],
                  ["{N} shares {a} {o} among {b} friends. How many does each one get?", "I have {a} {o} and put them in {b} equal boxes. How many are in each box?", "There are {a} {o} for {b} children. How many does each one get?", "{b} [children|cousins|people] divide {a} {o} between them. How many does each one get?", "{b} [children|cousins|sisters] split {a} {o}. How many does each one have?", "Into {b} equal boxes I put {a} {o}. How many are in each box?"],
                  ["{N} reparte {a} {o} entre {b} amigos. Quantas cada um recebe?", "Tenho {a} {o} e coloco em {b} caixas iguais. Quantas há em cada caixa?", "Há {a} {o} para {b} crianças. Quantas cada uma recebe?", "Entre {b} [crianças|primos|pessoas] se dividem {a} {o}. Quantas cada um recebe?", "{b} [crianças|primos|irmãos] dividem {a} {o}. Quantas cada um tem?", "Em {b} caixas iguais guardo {a} {o}. Quantas há em cada caixa?"]),
        "test": (["{b} amigos se reparten {a} {o} en partes iguales. ¿Cuántas recibe cada uno?"], ["{b} friends share {a} {o} equally. How many does each one get?"], ["{b} amigos repartem {a} {o} em partes iguais. Quantas cada um recebe?"])},
}


# ---------------------------------------------------------------------------------------------- answers: arithmetic

Q_NEXT = ("¿Cuánto es ${0}$?", "What is ${0}$?", "Quanto é ${0}$?")
Q_CLEAR = ("¿Quedó claro?", "Is that clear?", "Ficou claro?")
Q_MORE = ("¿Qué otra cosa quieres saber?", "What else would you like to know?", "O que mais você quer saber?")
Q_EXERCISE = ("¿Quieres un ejercicio?", "Would you like an exercise?", "Quer um exercício?")
Q_ANOTHER = ("¿Quieres otro ejercicio?", "Would you like another exercise?", "Quer outro exercício?")


def result(l, text):
    return f"**{MARK[l]}: ${text}$**"


def steps(lines):
    return "\n".join(f"{i}. {s}" for i, s in enumerate(lines, 1))


def worked(op, a, b, l):
    """(intro, step lines, result)"""
    t = lambda *x: x[l]
    if op == "add":
        if a < 10 and b < 10:
            if a + b > 10 and a and b:
                k = 10 - max(a, b)
                big, small = max(a, b), min(a, b)
                return t("Primero llega a $10$.", "First get to $10$.", "Primeiro chegue a $10$."), \
                    [f"${big} + {k} = 10$", f"${small} - {k} = {small - k}$", f"$10 + {small - k} = {a + b}$"], str(a + b)
            return t(f"Empieza en ${a}$ y avanza ${b}$.", f"Start at ${a}$ and move forward ${b}$.", f"Comece em ${a}$ e avance ${b}$."), \
                [f"${a} + {b} = {a + b}$"], str(a + b)
        ta, ua, tb, ub = a // 10 * 10, a % 10, b // 10 * 10, b % 10
        return t("Suma por partes.", "Add in parts.", "Some por partes."), \
            [t("Decenas", "Tens", "Dezenas") + f": ${ta} + {tb} = {ta + tb}$", t("Unidades", "Ones", "Unidades") + f": ${ua} + {ub} = {ua + ub}$",
             t("Total", "Total", "Total") + f": ${ta + tb} + {ua + ub} = {a + b}$"], str(a + b)
    if op == "sub":
        if a < b:
            return t(f"${b}$ es mayor que ${a}$. El resultado es negativo.", f"${b}$ is larger than ${a}$. The result is negative.", f"${b}$ é maior que ${a}$. O resultado é negativo."), \
                [f"${b} - {a} = {b - a}$", f"${a} - {b} = -{b - a}$"], f"-{b - a}"
        if b < 10:
            if a >= 10 and b > a % 10 and a % 10:
                u = a % 10
                return t("Baja primero a la decena.", "First go down to the ten.", "Desça primeiro até a dezena."), \
                    [f"${a} - {u} = {a - u}$", f"${b} - {u} = {b - u}$", f"${a - u} - {b - u} = {a - b}$"], str(a - b)
            return t(f"Empieza en ${a}$ y retrocede ${b}$.", f"Start at ${a}$ and move back ${b}$.", f"Comece em ${a}$ e volte ${b}$."), [f"${a} - {b} = {a - b}$"], str(a - b)
        tb, ub = b // 10 * 10, b % 10
        return t("Resta por partes.", "Subtract in parts.", "Subtraia por partes."), \
            [t("Decenas", "Tens", "Dezenas") + f": ${a} - {tb} = {a - tb}$", t("Unidades", "Ones", "Unidades") + f": ${a - tb} - {ub} = {a - b}$"], str(a - b)
    if op == "mul":
        p = a * b
        if 0 in (a, b):
            return t("Todo número por $0$ da $0$.", "Any number times $0$ is $0$.", "Todo número vezes $0$ dá $0$."), [f"${a} {TIMES} {b} = 0$"], "0"
        if 1 in (a, b):
            return t("Todo número por $1$ queda igual.", "Any number times $1$ stays the same.", "Todo número vezes $1$ fica igual."), [f"${a} {TIMES} {b} = {p}$"], str(p)
        if a <= 12 and b <= 12:
            if b in (10,):
                return t("Por $10$: agrega un cero.", "Times $10$: add a zero.", "Vezes $10$: acrescente um zero."), [f"${a} {TIMES} 10 = {p}$"], str(p)
            if b <= 5:
                return t(f"Suma ${a}$ varias veces.", f"Add ${a}$ several times.", f"Some ${a}$ várias vezes."), ["$" + " + ".join([str(a)] * b) + f" = {p}$"], str(p)
            base = 10 if b > 10 else 5
            return t(f"Parte el ${b}$ en ${base} + {b - base}$.", f"Split ${b}$ into ${base} + {b - base}$.", f"Separe o ${b}$ em ${base} + {b - base}$."), \
                [f"${a} {TIMES} {base} = {a * base}$", f"${a} {TIMES} {b - base} = {a * (b - base)}$", f"${a * base} + {a * (b - base)} = {p}$"], str(p)
        if min(a, b) < 10:
            x, y = max(a, b), min(a, b)
            tx, ux = x // 10 * 10, x % 10
            return t(f"Parte el ${x}$ en ${tx} + {ux}$.", f"Split ${x}$ into ${tx} + {ux}$.", f"Separe o ${x}$ em ${tx} + {ux}$."), \
                [f"${tx} {TIMES} {y} = {tx * y}$", f"${ux} {TIMES} {y} = {ux * y}$", f"${tx * y} + {ux * y} = {p}$"], str(p)
        ta, ua, tb, ub = a // 10 * 10, a % 10, b // 10 * 10, b % 10
        s1 = ta * tb + ta * ub
        s2 = s1 + ua * tb
        return t("Multiplica por partes y suma.", "Multiply in parts and add.", "Multiplique por partes e some."), \
            [f"${ta} {TIMES} {tb} = {ta * tb}$", f"${ta} {TIMES} {ub} = {ta * ub}$", f"${ua} {TIMES} {tb} = {ua * tb}$", f"${ua} {TIMES} {ub} = {ua * ub}$",
             f"${ta * tb} + {ta * ub} = {s1}$", f"${s1} + {ua * tb} = {s2}$", f"${s2} + {ua * ub} = {p}$"], str(p)
    if b == 0:
        return t("No se puede dividir entre $0$.", "You cannot divide by $0$.", "Não se pode dividir por $0$."), [], t("no existe", "none", "não existe")
    q, r = divmod(a, b)
    rest = "" if r == 0 else ", \\text{ " + t("resto", "remainder", "resto") + " } " + str(r)
    lines = []
    if q <= 12:
        lines = [f"${b} {TIMES} {q} = {b * q}$"]
    else:
        tq = q // 10 * 10
        lines = [f"${b} {TIMES} {tq} = {b * tq}$", f"${a} - {b * tq} = {a - b * tq}$", f"${b} {TIMES} {q - tq} = {b * (q - tq)}$", f"${tq} + {q - tq} = {q}$"]
    if r:
        lines.append(f"${a} - {b * q} = {r}$")
    return t(f"Usa la tabla del ${b}$.", f"Use the table of ${b}$.", f"Use a tabuada do ${b}$."), lines, f"{q}{rest}"


def answer_op(op, a, b, l):
    intro, lines, res = worked(op, a, b, l)
    nxt = following(op, a, b) if b else (12, 4)
    body = f"**${tex(op, a, b)}$**\n\n{intro}\n\n" + (steps(lines) + "\n\n" if lines else "")
    return body + f"{result(l, res)}\n\n{Q_NEXT[l].format(tex(op, *nxt))}", res, (op, *nxt)


def simple_op(op, a, b, l):
    """A second, simpler explanation."""
    t = lambda *x: x[l]
    res = worked(op, a, b, l)[2]
    body = {
        "add": t(f"Piensa en una fila de casillas. Estás en la ${a}$. Das ${b}$ pasos hacia delante. Llegas a la ${a + b}$.",
                 f"Think of a row of squares. You stand on ${a}$. You take ${b}$ steps forward. You get to ${a + b}$.",
                 f"Pense em uma fila de casas. Você está na ${a}$. Dá ${b}$ passos para a frente. Chega à ${a + b}$."),
        "sub": t(f"Piensa en una fila de casillas. Estás en la ${a}$. Das ${b}$ pasos hacia atrás. Llegas a la ${a - b}$.",
                 f"Think of a row of squares. You stand on ${a}$. You take ${b}$ steps back. You get to ${a - b}$.",
                 f"Pense em uma fila de casas. Você está na ${a}$. Dá ${b}$ passos para trás. Chega à ${a - b}$."),
        "mul": t(f"Piensa en ${a}$ cajas. Cada caja tiene ${b}$ fichas. Si juntas todo, hay ${a * b}$ fichas.",
                 f"Think of ${a}$ boxes. Each box has ${b}$ counters. If you put it all together, there are ${a * b}$ counters.",
                 f"Pense em ${a}$ caixas. Cada caixa tem ${b}$ fichas. Se você junta tudo, há ${a * b}$ fichas."),
        "div": t(f"Piensa en ${a}$ fichas y ${b}$ personas. Das una ficha a cada persona, y otra, y otra. Cada persona recibe: ${res}$.",
                 f"Think of ${a}$ counters and ${b}$ people. You give one counter to each person, and another, and another. Each person gets: ${res}$.",
                 f"Pense em ${a}$ fichas e ${b}$ pessoas. Você dá uma ficha a cada pessoa, e outra, e outra. Cada pessoa recebe: ${res}$."),
    }[op]
    nxt = following(op, a, b)
    return f"{body}\n\n{Q_NEXT[l].format(tex(op, *nxt))}", res, (op, *nxt)


def why_op(op, a, b, l):
    t = lambda *x: x[l]
    res = worked(op, a, b, l)[2]
    body = {
        "add": t("Porque sumar es juntar dos cantidades. Puedes juntar primero las decenas y luego las unidades: el total no cambia.",
                 "Because adding is putting two amounts together. You can put the tens together first and then the ones: the total does not change.",
                 "Porque somar é juntar duas quantidades. Você pode juntar primeiro as dezenas e depois as unidades: o total não muda."),
        "sub": t("Porque restar es quitar. Puedes quitar primero las decenas y luego las unidades: lo que queda es lo mismo.",
                 "Because subtracting is taking away. You can take away the tens first and then the ones: what is left is the same.",
                 "Porque subtrair é tirar. Você pode tirar primeiro as dezenas e depois as unidades: o que sobra é o mesmo."),
        "mul": t("Porque multiplicar es sumar grupos iguales. Puedes partir un número en dos, multiplicar cada parte y juntar los resultados.",
                 "Because multiplying is adding equal groups. You can split one number in two, multiply each part and put the results together.",
                 "Porque multiplicar é somar grupos iguais. Você pode separar um número em dois, multiplicar cada parte e juntar os resultados."),
        "div": t("Porque dividir es repartir en partes iguales. Es la multiplicación al revés: buscas el número que falta.",
                 "Because dividing is sharing in equal parts. It is multiplication backwards: you look for the missing number.",
                 "Porque dividir é repartir em partes iguais. É a multiplicação ao contrário: você procura o número que falta."),
    }[op]
    nxt = following(op, a, b)
    return f"{body}\n\n{Q_NEXT[l].format(tex(op, *nxt))}", res, (op, *nxt)


def checked(op, a, b, r, l):
    """What the tutor says to the student's value r: the first steps, then yes, or not yet and one question (never the answer)."""
    t = lambda *x: x[l]
    v = value(op, a, b)
    ask = None
    shown = []
    if op == "add" and (a >= 10 or b >= 10):
        ta, tb, u = a // 10 * 10, b // 10 * 10, a % 10 + b % 10
        if ta and tb:
            shown.append(f"${ta} + {tb} = {ta + tb}$")
        shown.append(f"${a % 10} + {b % 10} = {u}$")
        ask = f"{ta + tb} + {u}"
    elif op == "add":
        ask = f"{a} + {b}"
    elif op == "sub" and b >= 10 and a >= b:
        tb = b // 10 * 10
        shown.append(f"${a} - {tb} = {a - tb}$")
        ask = f"{a - tb} - {b % 10}"
    elif op == "sub" and a >= 10 and b < 10 and a % 10 and b > a % 10:
        shown.append(f"${a} - {a % 10} = {a // 10 * 10}$")
        ask = f"{a // 10 * 10} - {b - a % 10}"
    elif op == "sub":
        ask = f"{a} - {b}"
    elif op == "mul" and max(a, b) > 12 and min(a, b) > 1:
        lines = worked(op, a, b, l)[1]
        shown = lines[:-1]
        ask = lines[-1].strip("$").split(" = ")[0]
    elif op == "mul":
        ask = f"{a * (b - 1)} + {a}" if b > 1 else f"{a} {TIMES} {b}"
    else:
        shown.append(f"${b} {TIMES} {r} = {b * r}$")
    lead = t("Reviso", "Let me check", "Vou conferir") + ": " + ", ".join(shown) + ". " if shown else ""
    if r == v:
        s = f"${tex(op, a, b)} = {worked(op, a, b, l)[2]}$"
        return lead + t(f"Sí, {s}. Muy bien. ", f"Yes, {s}. Well done. ", f"Sim, {s}. Muito bem. ") + Q_ANOTHER[l]
    question = Q_NEXT[l].format(ask) if ask else t(f"¿Qué número por ${b}$ da ${a}$?", f"Which number times ${b}$ gives ${a}$?", f"Que número vezes ${b}$ dá ${a}$?")
    return lead + t("Todavía no. ", "Not yet. ", "Ainda não. ") + question


def hint(op, a, b, l):
    """A first hint for somebody who does not know: the steps of `checked` and its question."""
    start = ("No pasa nada. ", "That is fine. ", "Tudo bem. ")[l]
    text = checked(op, a, b, -1, l)
    if op == "div":
        text = text.split(". ", 1)[1]
    for word in ("Reviso: ", "Let me check: ", "Vou conferir: ", "Todavía no. ", "Not yet. ", "Ainda não. "):
        text = text.replace(word, "")
    return start + text


# ---------------------------------------------------------------------------------------------- other kinds

CHECK = {
    "train": (["[Creo que|Pienso que|Me da que|Yo digo que] {e} [es|da|son] {r}", "¿{e} [es|da] {r}?", "{e} = {r}", "{e} es {r}, ¿[verdad|no|cierto]?", "¿Es correcto que {e} es {r}?", "[Me dio|Me salió|Obtuve] {r} en {e}", "{e} = {r} ¿está bien?", "puse {e} = {r}", "hice {e} y me dio {r}", "[escribí|respondí|contesté] {r} en {e}, ¿está bien?", "[Revisa|Mira si está bien]: {e} = {r}", "[la respuesta de|el resultado de] {e} es {r}, ¿no?", "según yo {e} es {r}", "[Mi amigo|Mi mamá|Ella|Él] dice que {e} es {r}"],
              ["[I think|I believe|I say|I guess] {e} [is|equals|makes] {r}", "Is {e} {r}?", "{e} = {r}", "{e} is {r}, right?", "Is it right that {e} is {r}?", "I got {r} for {e}", "{e} = {r} is that right?", "I wrote {e} = {r}", "I did {e} and got {r}", "I [put|answered] {r} for {e}, is it right?", "[Check|See if it is right]: {e} = {r}", "[the answer to|the result of] {e} is {r}, isn't it?", "for me {e} is {r}", "[My friend|My mum|She|He] says that {e} is {r}"],
              ["[Acho que|Penso que|Eu digo que] {e} [é|dá|são] {r}", "{e} [é|dá] {r}?", "{e} = {r}", "{e} é {r}, [certo|né|não é]?", "Está certo que {e} é {r}?", "[Deu|Encontrei|Obtive] {r} em {e}", "{e} = {r} está certo?", "escrevi {e} = {r}", "fiz {e} e deu {r}", "[escrevi|respondi] {r} em {e}, está certo?", "[Revise|Veja se está certo]: {e} = {r}", "[a resposta de|o resultado de] {e} é {r}, não?", "para mim {e} é {r}", "[Meu amigo|Minha mãe|Ela|Ele] diz que {e} é {r}"]),
    "test": (["En mi cuaderno tengo que {e} es {r}. ¿Está bien?", "mi respuesta para {e} es {r}", "corrige esto: {e} = {r}"], ["In my notebook I have that {e} is {r}. Is that right?", "my answer for {e} is {r}", "correct this: {e} = {r}"],
             ["No meu caderno tenho que {e} é {r}. Está certo?", "minha resposta para {e} é {r}", "corrija isto: {e} = {r}"]),
}
TABLE = {
    "train": (["[La |]tabla del {n}", "[Dime|Escribe|Dame|Muéstrame|Enséñame|Quiero] la tabla del {n}", "¿[Cuál es|Me das|Puedes escribir|Me escribes] la tabla del {n}?", "tabla de multiplicar del {n}", "la tabla de multiplicar del número {n}", "Repasemos la tabla del {n}", "[Necesito|Quisiera] [aprender|repasar|estudiar] la tabla del {n}", "no me sé la tabla del {n}", "[Ayúdame|Puedes ayudarme] con la tabla del {n}", "La profe pidió la tabla del {n}"],
              ["[The |]times table of {n}", "[Tell me|Write|Give me|Show me] the [times table of {n}|{n} times table|table of {n}]", "[Can you write|What is] the {n} times table?", "multiplication table of {n}", "{n} times table", "Let's review the {n} times table", "I [need|would like] to [learn|review|study] the [table of {n}|{n} times table]", "I don't know the {n} times table", "[Help me|Can you help me] with the {n} times table", "The teacher asked for the {n} times table"],
              ["[A |]tabuada do {n}", "[Diga|Escreva|Dê|Mostre|Quero] a tabuada do {n}", "[Qual é|Pode escrever|Você escreve] a tabuada do {n}?", "tabuada de multiplicação do {n}", "a tabuada do número {n}", "Vamos revisar a tabuada do {n}", "[Preciso|Gostaria de] [aprender|repassar|estudar] a tabuada do {n}", "não sei a tabuada do {n}", "[Me ajude|Pode me ajudar] com a tabuada do {n}", "A professora pediu a tabuada do {n}"]),
    "test": (["Mañana me toman la tabla del {n}, ¿me la pasas?", "quiero practicar la tabla del {n}", "¿Cómo va la tabla del {n}?"], ["Tomorrow I have a test on the {n} times table, can you write it out?", "I want to practise the table of {n}", "How does the {n} times table go?"],
             ["Amanhã tenho prova da tabuada do {n}, você me passa?", "quero praticar a tabuada do {n}", "Como é a tabuada do {n}?"]),
}
COUNT = {
    "train": (["[Cuenta|Cuéntame|Contar|Puedes contar|Cuenta por favor] [de|desde|del] [|el ]1 [a|hasta|al|hasta el] {n}", "Cuenta hasta {n}", "[Escribe|Dime|Dame] los números del 1 al {n}", "números del 1 al {n}", "[Quiero|Necesito|Quisiera] [los números de 1 a {n}|contar hasta {n}|que escribas los números hasta {n}]", "¿[Puedes|Sabes|Podrías] contar hasta {n}?", "lista de números del 1 al {n}", "necesito que cuentes [de|del] 1 [a|al] {n}", "[Escribe|Dame|Muestra] una lista de números hasta {n}", "contemos hasta {n}", "[cuenta|contar|cuéntame] los números hasta el {n}", "¿[Sabes|Podrías|Puedes] contar del 1 al {n}?"],
              ["[Count|Please count|Can you count|Count up] from [1|one] [to|up to] {n}", "Count [to|up to] {n}", "[Write|Tell me|Give me] the numbers from 1 to {n}", "numbers from 1 to {n}", "[I want|I need] [the numbers 1 to {n}|to count to {n}]", "[Can|Could] you count to {n}?", "list of numbers from 1 to {n}", "I want you to write the numbers up to {n}", "I need you to count from 1 to {n}", "[Write|Give me|Show me] a list of numbers up to {n}", "let us count to {n}", "[count|say] all the numbers up to {n}", "[Can|Could] you count from 1 to {n}?"],
              ["[Conte|Conta|Contar|Pode contar|Conte por favor] [de|do|desde o] 1 [a|até|ao|até o] {n}", "Conte até {n}", "[Escreva|Diga|Dê] os números de 1 a {n}", "números de 1 a {n}", "[Quero|Preciso|Gostaria de] [contar até {n}|que escreva os números até {n}]", "preciso dos números de 1 a {n}", "[Pode|Sabe|Poderia] contar até {n}?", "lista de números de 1 a {n}", "preciso que você conte de 1 a {n}", "[Escreva|Dê|Mostre] uma lista de números até {n}", "vamos contar até {n}", "[conte|contar|diga] todos os números até {n}", "[Sabe|Poderia|Pode] contar de 1 a {n}?"]),
    "test": (["¿Me cuentas del 1 al {n}?", "Haz una lista con los números del 1 al {n}", "quiero que cuentes hasta {n}"], ["Would you count from 1 to {n} for me?", "Make a list of the numbers from 1 to {n}", "I want you to count to {n}"],
             ["Você conta de 1 a {n} para mim?", "Faça uma lista com os números de 1 a {n}", "quero que você conte até {n}"]),
}
LONG_ASK = {
    "story": {"train": (["[Cuéntame|Cuenta|Dime|Escribe|Inventa] una historia [larga |]de números", "[Cuéntame|Cuenta|Dime|Escribe] [un cuento|una historia|una historia larga|un cuento largo]", "una historia", "¿[Me cuentas|Puedes contarme] [un cuento|una historia]?", "quiero [leer|oír] [un cuento|una historia]", "¿[Te sabes|Conoces|Tienes] [un cuento|una historia|historias]?", "[léeme|nárrame] [un cuento|una historia]"],
                        ["[Tell|Write] me a [long |]story about numbers", "[Tell me|Write|Make up] a [story|long story|tale]", "a story", "[Can|Could] you tell me a story?", "I want to [read|hear] a story", "Do you [have|remember] [a story|stories|a tale]?", "[read|narrate] me a [story|tale]"],
                        ["[Conte|Escreva|Invente|Diga] uma história [longa |]de números", "[Conte|Me conte|Escreva] [um conto|uma história|uma história longa]", "uma história", "[Você me conta|Pode contar] [um conto|uma história]?", "quero [ler|ouvir] [um conto|uma história]", "Você [conhece|tem|lembra de] [um conto|uma história|histórias]?", "[leia|narre] [um conto|uma história]"]),
              "test": (["estoy aburrido, cuéntame una historia sobre los números", "¿Sabes alguna historia?"], ["I am bored, tell me a story about the numbers", "Do you know any story?"], ["estou sem nada para fazer, conte uma história sobre os números", "Você sabe alguma história?"])},
    "water": {"train": (["[Explica|Explícame|Cuéntame|Describe] el ciclo del agua [en detalle|con detalle|paso a paso|con todos los pasos]", "el ciclo del agua en detalle", "[Dame|Quiero|Necesito] una explicación [larga|completa|detallada] del ciclo del agua", "[explica|cuéntame|dime] con [detalle|muchos detalles] cómo [funciona|ocurre] el ciclo del agua", "¿Me explicas [con detalle|en detalle|con todos los pasos] el ciclo del agua?"],
                        ["[Explain|Tell me about|Describe] the water cycle [in detail|step by step|with all the steps]", "the water cycle in detail", "[Give me|I want|I need] a [long|full|detailed] explanation of the water cycle", "[explain|tell me|describe] in [detail|great detail] how the water cycle [goes|happens]", "Could you explain the water cycle [in detail|with all the steps]?"],
                        ["[Explique|Conte|Descreva] o ciclo da água [em detalhe|com detalhes|passo a passo|com todos os passos]", "o ciclo da água em detalhe", "[Dê|Quero|Preciso de] uma explicação [longa|completa|detalhada] do ciclo da água", "[explique|conte|diga] com [detalhe|muitos detalhes] como [funciona|ocorre] o ciclo da água", "Você me explica [com detalhe|em detalhe|com todos os passos] o ciclo da água?"]),
              "test": (["¿Puedes explicar en detalle cómo es el ciclo del agua?", "todos los pasos del ciclo del agua en detalle"], ["Can you explain in detail how the water cycle works?", "all the steps of the water cycle in detail"], ["Você pode explicar em detalhe como é o ciclo da água?", "todos os passos do ciclo da água em detalhe"])},
    "count": {"train": (["[Escribe|Haz|Dame|Muéstrame] un programa [de|en] Python que [escriba|cuente|muestre] los números del 1 al 10", "programa de Python del 1 al 10", "¿Cómo escribo los números del 1 al 10 en Python?", "código que cuente del 1 al 10"],
                        ["[Write|Make|Give me|Show me] a Python program that [prints|counts|shows] the numbers from 1 to 10", "Python program from 1 to 10", "How do I print the numbers from 1 to 10 in Python?", "code that counts from 1 to 10"],
                        ["[Escreva|Faça|Dê|Mostre] um programa [de|em] Python que [escreva|conte|mostre] os números de 1 a 10", "programa em Python de 1 a 10", "Como escrevo os números de 1 a 10 em Python?", "código que conte de 1 a 10"]),
              "test": (["¿Me haces un código en Python para contar del 1 al 10?"], ["Could you make code in Python to count from 1 to 10?"], ["Você faz um código em Python para contar de 1 a 10?"])},
    "hello": {"train": (["[Escribe|Haz|Dame|Muéstrame] un programa [de|en] Python que [salude|diga hola|escriba hola]", "hola mundo en Python", "un programa [sencillo|fácil|corto] de Python", "ejemplo de código en Python"],
                        ["[Write|Make|Give me|Show me] a Python program that [says hello|prints hello|greets]", "hello world in Python", "a [simple|easy|short] Python program", "example of code in Python"],
                        ["[Escreva|Faça|Dê|Mostre] um programa [de|em] Python que [cumprimente|diga olá|escreva olá]", "olá mundo em Python", "um programa [simples|fácil|curto] de Python", "exemplo de código em Python"]),
              "test": (["¿Me haces un programa que diga hola en Python?"], ["Could you make a program that says hello in Python?"], ["Você faz um programa que diga olá em Python?"])},
}
EXERCISE = {
    "train": (["[Dame|Ponme|Quiero|Hazme] [un ejercicio|una pregunta|un problema] [de {o}|de {o}|]", "[un ejercicio|un problema] de {o}", "[Practiquemos|Quiero practicar|Practicar|Vamos a practicar] {o}", "[ponme a prueba|pregúntame] [con|] {o}", "[quisiera|me gustaría|quiero] [un ejercicio|practicar|hacer ejercicios] de {o}", "[hay|tienes] ejercicios de {o}", "¿Puedes [darme|ponerme] un ejercicio de {o}?"],
              ["[Give me|I want|Ask me] [an exercise|a question|a problem] [on {o}|about {o}|]", "[an exercise|a problem] on {o}", "[Let's practise|I want to practise|Practise|Let us practice] {o}", "[test me|quiz me] on {o}", "I would like [an exercise on|to practise|some] {o}", "do you have exercises on {o}", "Can you [give me|set me] an exercise on {o}?"],
              ["[Dê|Me dê|Quero|Faça] [um exercício|uma pergunta|um problema] [de {o}|de {o}|]", "[um exercício|um problema] de {o}", "[Vamos praticar|Quero praticar|Praticar] {o}", "[me teste|me pergunte] [com|] {o}", "[gostaria de|queria] [um exercício de|praticar] {o}", "tem exercícios de {o}", "Pode [me dar|passar] um exercício de {o}?"]),
    "test": (["¿Me das un ejercicio de {o}?", "necesito practicar {o}"], ["Can I have an exercise on {o}?", "I need to practise {o}"], ["Você me dá um exercício de {o}?", "preciso praticar {o}"]),
}
OPNAMES = {"add": (["sumas", "suma"], ["addition", "adding"], ["somas", "soma", "adição"]), "sub": (["restas", "resta"], ["subtraction", "subtracting"], ["subtração", "subtrações"]),
           "mul": (["multiplicación", "multiplicaciones", "multiplicar"], ["multiplication", "multiplying"], ["multiplicação", "multiplicações"]), "div": (["división", "divisiones", "dividir"], ["division", "dividing"], ["divisão", "divisões"])}
LADDER = {"mul": [(6, 7), (8, 4), (9, 6)], "add": [(34, 25), (47, 36), (58, 29)], "sub": [(58, 23), (72, 45), (91, 38)], "div": [(42, 6), (56, 8), (81, 9)]}
LEAD = ("Vamos con un ejercicio. ", "Here is an exercise. ", "Vamos a um exercício. ")


def exercise(op, l, last=None):
    ladder = LADDER[op]
    i = ladder.index(last) + 1 if last in ladder else 0
    a, b = ladder[i % len(ladder)]
    return LEAD[l] + Q_NEXT[l].format(tex(op, a, b)), (op, a, b)


FRAC = {
    "train": {
        "sum": ASK["train"],
        "eq": (["[una fracción|fracciones|dime una fracción|dame una fracción] equivalente a {f}", "¿[Qué fracción es|Cuál es una fracción] equivalente a {f}?", "equivalente de {f}", "otra forma de escribir {f}"],
               ["[a fraction|give me a fraction|tell me a fraction] equivalent to {f}", "[Which|What] fraction is equivalent to {f}?", "equivalent of {f}", "another way to write {f}"],
               ["[uma fração|diga uma fração|dê uma fração] equivalente a {f}", "Qual fração é equivalente a {f}?", "equivalente de {f}", "outra forma de escrever {f}"]),
        "simp": (["[Simplifica|Simplificar|Reduce|Cómo simplifico] {f}", "[la fracción|] {f} simplificada", "¿[Cómo se simplifica|Cuál es la forma simple de] {f}?"], ["[Simplify|Reduce|How do I simplify] {f}", "{f} in simplest form", "[How do you simplify|What is the simple form of] {f}?"],
                 ["[Simplifique|Simplificar|Reduza|Como simplifico] {f}", "[a fração|] {f} simplificada", "[Como se simplifica|Qual é a forma simples de] {f}?"]),
        "of": (["¿[Cuánto es|Cuánto vale|Cuál es] {f} de {n}?", "[Calcula|Dime] {f} de {n}", "{f} de {n}"], ["[What is|How much is|What's] {f} of {n}?", "[Calculate|Tell me] {f} of {n}", "{f} of {n}"], ["[Quanto é|Quanto vale|Qual é] {f} de {n}?", "[Calcule|Diga] {f} de {n}", "{f} de {n}"]),
    },
    "test": {
        "sum": ASK["test"],
        "eq": (["necesito una fracción equivalente a {f}", "¿Me das una fracción equivalente a {f}?"], ["I need a fraction equivalent to {f}", "Can you give me a fraction equivalent to {f}?"], ["preciso de uma fração equivalente a {f}", "Você me dá uma fração equivalente a {f}?"]),
        "simp": (["quiero simplificar {f}", "ayúdame a simplificar {f}"], ["I want to simplify {f}", "help me simplify {f}"], ["quero simplificar {f}", "me ajude a simplificar {f}"]),
        "of": (["si tomo {f} de {n}, ¿cuánto es?", "necesito saber {f} de {n}"], ["if I take {f} of {n}, how much is it?", "I need to know {f} of {n}"], ["se eu tomar {f} de {n}, quanto é?", "preciso saber {f} de {n}"]),
    },
}


def fr(n, d):
    return f"\\frac{{{n}}}{{{d}}}"


def typed_fraction(rng, n, d):
    return rng.choice([f"{n}/{d}", f"{n}/{d}", f"{n}/{d}", f"${fr(n, d)}$", f"{n} / {d}"])


def item_frac(rng, l, split):
    t = lambda *x: x[l]
    sub = rng.choice(["sum", "sum", "sum", "eq", "simp", "of"])
    frame = pick(rng, rng.choice(FRAC["test" if split == "test" else "train"][sub][l]))
    if sub == "sum":
        d1 = rng.choice([2, 3, 4, 5, 6, 8, 10])
        d2 = d1 if rng.random() < .5 else rng.choice([2, 3, 4, 5, 6, 8, 10])
        n1, n2 = rng.randint(1, d1 - 1) if d1 > 2 else 1, rng.randint(1, d2 - 1) if d2 > 2 else 1
        minus = rng.random() < .4
        if minus and n1 / d1 < n2 / d2:
            n1, d1, n2, d2 = n2, d2, n1, d1
        s = "-" if minus else "+"
        sym = rng.choice([s, s, s, SPOKEN["sub" if minus else "add"][l][0]])
        e = f"{typed_fraction(rng, n1, d1)} {sym} {typed_fraction(rng, n2, d2)}"
        if rng.random() < .3 and sym == s:
            e = f"{n1}/{d1}{s}{n2}/{d2}"
        user = frame.replace("{k}", str(rng.randint(1, 20))).replace("{e}", e)
        m = d1 * d2 // math.gcd(d1, d2)
        m1, m2 = n1 * m // d1, n2 * m // d2
        top = m1 - m2 if minus else m1 + m2
        lines = []
        if d1 == d2:
            intro = t("Los denominadores son iguales. Trabaja con los numeradores.", "The denominators are the same. Work with the numerators.", "Os denominadores são iguais. Trabalhe com os numeradores.")
        else:
            intro = t(f"Busca un denominador común: ${m}$.", f"Find a common denominator: ${m}$.", f"Procure um denominador comum: ${m}$.")
            if d1 != m:
                lines.append(f"${fr(n1, d1)} = {fr(m1, m)}$")
            if d2 != m:
                lines.append(f"${fr(n2, d2)} = {fr(m2, m)}$")
        lines.append(f"${fr(m1, m)} {s} {fr(m2, m)} = {fr(top, m)}$")
        g = math.gcd(top, m)
        rn, rd = top // g, m // g
        res = "0" if top == 0 else str(rn) if rd == 1 else fr(rn, rd)
        if top == 0 or g > 1:
            lines.append(t("Simplifica", "Simplify", "Simplifique") + f": ${fr(top, m)} = {res}$")
        title = f"**${fr(n1, d1)} {s} {fr(n2, d2)}$**"
    elif sub == "eq":
        d = rng.randint(2, 9)
        n = rng.randint(1, d - 1) if d > 2 else 1
        user = frame.replace("{f}", typed_fraction(rng, n, d))
        intro = t("Multiplica arriba y abajo por $2$.", "Multiply top and bottom by $2$.", "Multiplique em cima e embaixo por $2$.")
        res = fr(2 * n, 2 * d)
        lines = [f"${n} {TIMES} 2 = {2 * n}$", f"${d} {TIMES} 2 = {2 * d}$", f"${fr(n, d)} = {res}$"]
        title = f"**${fr(n, d)}$**"
    elif sub == "simp":
        while True:
            rd = rng.randint(2, 9)
            rn = rng.randint(1, rd - 1)
            if math.gcd(rn, rd) == 1:
                break
        k = rng.randint(2, 6)
        n, d = rn * k, rd * k
        user = frame.replace("{f}", typed_fraction(rng, n, d))
        intro = t(f"Divide arriba y abajo entre ${k}$.", f"Divide top and bottom by ${k}$.", f"Divida em cima e embaixo por ${k}$.")
        res = fr(rn, rd)
        lines = [f"${n} {DIV} {k} = {rn}$", f"${d} {DIV} {k} = {rd}$", f"${fr(n, d)} = {res}$"]
        title = f"**${fr(n, d)}$**"
    else:
        d = rng.choice([2, 3, 4, 5, 10])
        n = rng.randint(1, d - 1)
        k = rng.randint(2, 12)
        user = frame.replace("{f}", typed_fraction(rng, n, d)).replace("{n}", str(d * k))
        intro = t(f"Divide entre ${d}$ y multiplica por ${n}$.", f"Divide by ${d}$ and multiply by ${n}$.", f"Divida por ${d}$ e multiplique por ${n}$.")
        lines = [f"${d * k} {DIV} {d} = {k}$", f"${k} {TIMES} {n} = {k * n}$"]
        res = str(k * n)
        title = f"**${fr(n, d)}$ " + t("de", "of", "de") + f" ${d * k}$**"
    answer = f"{title}\n\n{intro}\n\n{steps(lines)}\n\n{result(l, res)}\n\n{Q_CLEAR[l]}"
    return dict(user=user, answer=answer, key=result(l, res), state=dict(clear="frac"))


# unit: symbol, spoken forms per language (singular, plural)
UNIT = {
    "km": (("kilómetro", "kilómetros"), ("kilometre", "kilometres"), ("quilômetro", "quilômetros")), "m": (("metro", "metros"), ("metre", "metres"), ("metro", "metros")),
    "cm": (("centímetro", "centímetros"), ("centimetre", "centimetres"), ("centímetro", "centímetros")), "mm": (("milímetro", "milímetros"), ("millimetre", "millimetres"), ("milímetro", "milímetros")),
    "kg": (("kilo", "kilos"), ("kilogram", "kilograms"), ("quilo", "quilos")), "g": (("gramo", "gramos"), ("gram", "grams"), ("grama", "gramas")),
    "l": (("litro", "litros"), ("litre", "litres"), ("litro", "litros")), "ml": (("mililitro", "mililitros"), ("millilitre", "millilitres"), ("mililitro", "mililitros")),
    "h": (("hora", "horas"), ("hour", "hours"), ("hora", "horas")), "min": (("minuto", "minutos"), ("minute", "minutes"), ("minuto", "minutos")), "s": (("segundo", "segundos"), ("second", "seconds"), ("segundo", "segundos")),
}
FACTORS = [("m", "cm", 100), ("km", "m", 1000), ("cm", "mm", 10), ("kg", "g", 1000), ("l", "ml", 1000), ("h", "min", 60), ("min", "s", 60)]
UNIT_ASK = {
    "train": (["¿[Cuántos|Cuantas] {v} [hay en|son|tiene|tienen] {x}?", "[Convierte|Pasa|Convertir|Cambia] {x} a {v}", "{x} [en|a] {v}", "¿[Cómo paso|Cómo convierto|A cuánto equivale] {x} [a|en] {v}?", "¿Cuánto es {x} en {v}?", "{x} cuántos {v} son"],
              ["How many {v} [are in|are|is|are there in] {x}?", "[Convert|Change] {x} [to|into] {v}", "{x} [in|to] {v}", "How do I [convert|change] {x} to {v}?", "What is {x} in {v}?", "{x} is how many {v}"],
              ["[Quantos|Quantas] {v} [há em|são|tem|têm] {x}?", "[Converta|Passe|Converter|Mude] {x} [para|em] {v}", "{x} em {v}", "Como [passo|converto] {x} para {v}?", "Quanto é {x} em {v}?", "{x} são quantos {v}"]),
    "test": (["necesito pasar {x} a {v}", "Si tengo {x}, ¿cuántos {v} tengo?"], ["I need to convert {x} to {v}", "If I have {x}, how many {v} do I have?"], ["preciso passar {x} para {v}", "Se tenho {x}, quantos {v} tenho?"]),
}


def item_unit(rng, l, split):
    t = lambda *x: x[l]
    big, small, k = rng.choice(FACTORS)
    n = rng.randint(1, 20) if rng.random() < .8 else rng.randint(1, 60)
    down = rng.random() < .6
    src, dst, x, y = (big, small, n, n * k) if down else (small, big, n * k, n)
    xs = rng.choice([f"{x} {src}", f"{x} {src}", f"{x}{src}", f"{x} {UNIT[src][l][0 if x == 1 else 1]}", f"{x} {UNIT[src][l][0 if x == 1 else 1]}"])
    vs = rng.choice([dst, UNIT[dst][l][1], UNIT[dst][l][1]])
    user = pick(rng, rng.choice(UNIT_ASK["test" if split == "test" else "train"][l])).replace("{x}", xs).replace("{v}", vs)
    fact = t(f"$1$ {big} son ${k}$ {small}.", f"$1$ {big} is ${k}$ {small}.", f"$1$ {big} são ${k}$ {small}.")
    line = f"${x} {TIMES} {k} = {y}$" if down else f"${x} {DIV} {k} = {y}$"
    intro = fact + " " + (t("Multiplica.", "Multiply.", "Multiplique.") if down else t("Divide.", "Divide.", "Divida."))
    key = f"**{MARK[l]}: ${y}$ {dst}**"
    return dict(user=user, answer=f"{intro}\n\n{steps([line])}\n\n{key}\n\n{Q_CLEAR[l]}", key=key, state=dict(clear="unit"))


NUM_ASK = {
    "train": {
        "cmp": (["¿[Cuál|Qué número] es [mayor|más grande], {a} o {b}?", "¿Es mayor {a} o {b}?", "compara {a} y {b}", "el mayor entre {a} y {b}", "de {a} y {b}, ¿cuál es [mayor|el mayor|más grande]?", "¿{a} o {b}? ¿Cuál es mayor?", "dime cuál es mayor: {a} o {b}", "quiero saber cuál es mayor, {a} o {b}"], ["Which [number |]is [larger|bigger|greater], {a} or {b}?", "Is {a} or {b} bigger?", "compare {a} and {b}", "the larger of {a} and {b}", "of {a} and {b}, which is [larger|bigger|greater]?", "{a} or {b}, which one is [larger|bigger]?", "tell me which is larger: {a} or {b}", "I want to know which is larger, {a} or {b}"],
                ["[Qual|Que número] é maior, {a} ou {b}?", "É maior {a} ou {b}?", "compare {a} e {b}", "o maior entre {a} e {b}", "de {a} e {b}, qual é [maior|o maior]?", "{a} ou {b}? Qual é maior?", "diga qual é maior: {a} ou {b}", "quero saber qual é maior, {a} ou {b}"]),
        "even": (["¿[Es|Será] {a} par o impar?", "¿El {a} es par?", "¿{a} es par o impar?", "¿{a} es impar?", "dime si {a} es par o impar", "¿Sabes si {a} es par?"], ["Is {a} [even or odd|odd or even|even|odd]?", "Is the number {a} even?", "{a} even or odd", "tell me if {a} is even or odd", "Do you know if {a} is even?"], ["[O |]{a} é par ou ímpar?", "{a} é par?", "O número {a} é ímpar?", "{a} par ou ímpar", "diga se {a} é par ou ímpar", "Você sabe se {a} é par?"]),
        "double": (["¿[Cuál es|Cuánto es] el doble de {a}?", "el doble de {a}", "[calcula|dime|quiero|busco] el doble de {a}"], ["What is [double|twice] {a}?", "[double|twice] {a}", "the double of {a}", "tell me what [double|twice] {a} is"], ["[Qual é|Quanto é] o dobro de {a}?", "o dobro de {a}", "[calcule|diga|quero|procuro] o dobro de {a}"]),
        "half": (["¿[Cuál es|Cuánto es] la mitad de {a}?", "la mitad de {a}", "[calcula|dime|quiero|busco] la mitad de {a}"], ["What is half of {a}?", "half of {a}", "[calculate|tell me] half of {a}", "tell me what half of {a} is"], ["[Qual é|Quanto é] a metade de {a}?", "a metade de {a}", "[calcule|diga|quero|procuro] a metade de {a}"]),
    },
    "test": {
        "cmp": (["entre {a} y {b}, ¿cuál es mayor?"], ["between {a} and {b}, which is larger?"], ["entre {a} e {b}, qual é maior?"]),
        "even": (["necesito saber si {a} es par o impar"], ["I need to know if {a} is even or odd"], ["preciso saber se {a} é par ou ímpar"]),
        "double": (["necesito saber el doble de {a}"], ["I need to know what double {a} is"], ["preciso saber o dobro de {a}"]),
        "half": (["necesito saber la mitad de {a}"], ["I need to know what half of {a} is"], ["preciso saber a metade de {a}"]),
    },
}


def item_numbers(rng, l, split):
    t = lambda *x: x[l]
    sub = rng.choice(["cmp", "even", "double", "half"])
    a, b = rng.randint(1, 99), rng.randint(1, 99)
    if a == b:
        b = a + 1
    if sub == "half":
        a = 2 * rng.randint(1, 50)
    user = pick(rng, rng.choice(NUM_ASK["test" if split == "test" else "train"][sub][l])).replace("{a}", str(a)).replace("{b}", str(b))
    if sub == "cmp":
        intro, res = t("Mira primero las decenas y luego las unidades.", "Look at the tens first and then at the ones.", "Olhe primeiro as dezenas e depois as unidades."), f"{max(a, b)} > {min(a, b)}"
        body = f"{intro}\n\n{result(l, res)}"
        key = result(l, res)
    elif sub == "even":
        u = a % 10
        w = t("par", "even", "par") if u % 2 == 0 else t("impar", "odd", "ímpar")
        key = f"**{MARK[l]}: {w}**"
        body = t(f"${a}$ termina en ${u}$, y ${u}$ es {w}.", f"${a}$ ends in ${u}$, and ${u}$ is {w}.", f"${a}$ termina em ${u}$, e ${u}$ é {w}.") + f"\n\n{key}"
    elif sub == "double":
        tt, u = a // 10 * 10, a % 10
        key = result(l, str(2 * a))
        body = steps([f"${tt} + {tt} = {2 * tt}$", f"${u} + {u} = {2 * u}$", f"${2 * tt} + {2 * u} = {2 * a}$"]) + f"\n\n{key}"
    else:
        key = result(l, str(a // 2))
        body = t("La mitad es una de dos partes iguales.", "A half is one of two equal parts.", "A metade é uma de duas partes iguais.") + f"\n\n{steps([f'${a // 2} + {a // 2} = {a}$'])}\n\n{key}"
    return dict(user=user, answer=f"{body}\n\n{Q_CLEAR[l]}", key=key, state=dict(clear="numbers"))


CAP_ASK = {
    "train": (["¿Cuál es la capital de {c}?", "[Dime|Sabes|Sabes cuál es] la capital de {c}", "capital de {c}", "¿[Qué ciudad|Cuál ciudad] es la capital de {c}?", "la capital de {c} es", "¿Cómo se llama la capital de {c}?", "[necesito|busco|quiero saber|no sé] la capital de {c}", "mi tarea pide la capital de {c}"],
              ["[What is|What's|Which is] the capital of {c}?", "[Tell me|Do you know] the capital of {c}", "capital of {c}", "[What|Which] city is the capital of {c}?", "the capital of {c} is", "What is the name of the capital of {c}?", "I [need|want to know|don't know|am looking for] the capital of {c}", "my homework asks for the capital of {c}"],
              ["Qual é a capital {c}?", "[Diga|Você sabe|Sabe qual é] a capital {c}", "capital {c}", "Que cidade é a capital {c}?", "a capital {c} é", "Como se chama a capital {c}?", "[busco|quero saber|não sei|procuro] a capital {c}", "preciso saber a capital {c}", "minha tarefa pede a capital {c}"]),
    "test": (["necesito la capital de {c} para geografía", "¿Me dices la capital de {c}?"], ["I need the capital of {c} for geography", "Can you tell me the capital of {c}?"], ["preciso da capital {c} para geografia", "Você me diz a capital {c}?"]),
}
CAP_BACK = (["¿De qué país es capital {c}?", "{c} es la capital de qué país", "¿{c} es la capital de qué país?"], ["{c} is the capital of which country?", "Which country has {c} as its capital?", "{c} is the capital of what country"], ["{c} é a capital de que país?", "De que país {c} é capital?", "{c} é capital de qual país"])
EVENT_ASK = {
    "train": (["¿En qué año fue {c}?", "¿Cuándo fue {c}?", "[Dime|Sabes] el año de {c}", "año de {c}", "fecha de {c}", "¿Cuándo ocurrió {c}?", "¿Qué día o año fue {c}?"], ["[In which|In what|What] year was {c}?", "When was {c}?", "[Tell me|Do you know] the year of {c}", "year of {c}", "date of {c}", "When did {c} happen?"],
              ["Em que ano foi {c}?", "Quando foi {c}?", "[Diga|Você sabe] o ano: {c}", "em que ano aconteceu {c}", "Quando aconteceu {c}?", "data: {c}"]),
    "test": (["no recuerdo cuándo fue {c}", "para historia necesito el año de {c}"], ["I don't remember when {c} was", "for history I need the year of {c}"], ["não lembro quando foi {c}", "para história preciso do ano: {c}"]),
}
PHRASE_ASK = {
    "train": (["¿{c}?", "{c}", "[Dime|Sabes|Quiero saber|Me dices] {c}", "¿[Sabes|Puedes decirme] {c}?", "no sé {c}", "[En la tarea preguntan|Mi profe pregunta|En el libro preguntan|La prueba pregunta] {c}", "[quisiera|necesito|quiero] saber {c}", "[no recuerdo|me olvidé de] {c}"], ["[Tell me|Do you know|I want to know|Can you tell me] {c}", "{c}", "[Do you know|Could you tell me] {c}?", "I don't know {c}", "[The homework asks|My teacher asks|The book asks|The quiz asks] {c}", "I [need|want] to know {c}", "I [don't remember|forgot] {c}"],
              ["{c}?", "{c}", "[Diga|Você sabe|Quero saber|Me diz] {c}", "[Você sabe|Pode me dizer] {c}?", "não sei {c}", "[Na tarefa perguntam|A professora pergunta|No livro perguntam|A prova pergunta] {c}", "[queria|preciso|quero] saber {c}", "[não lembro|esqueci] {c}"]),
    "test": (["ayer nos preguntaron {c}", "me gustaría saber {c}"], ["yesterday they asked us {c}", "I would like to know {c}"], ["ontem nos perguntaram {c}", "gostaria de saber {c}"]),
}


def item_fact(rng, l, split):
    t = lambda *x: x[l]
    group = rng.choice(["cap", "cap", "cap", "event", "count", "which", "which"])
    which = "test" if split == "test" else "train"
    if group == "cap":
        country, city = rng.choice(CAPITALS)
        c = country[l]
        art = {"Reino Unido": ("el Reino Unido", "", ""), "United Kingdom": ("", "the United Kingdom", ""), "United States": ("", "the United States", ""), "Dominican Republic": ("", "the Dominican Republic", "")}
        shown = (c if l == 2 else (art.get(c, ("", "", ""))[l] or c))
        of = f"{PT_OF.get(c, 'da')} {c}" if l == 2 else shown
        if l == 0 and c in ("República Dominicana",):
            shown = of = "la República Dominicana"
        if l == 0 and c == "Reino Unido":
            shown = of = "el Reino Unido"
        sentence = t(f"La capital de {of} es **{city[l]}**.", f"The capital of {of} is **{city[l]}**.", f"A capital {of} é **{city[l]}**.").replace("de el ", "del ")
        if which == "train" and rng.random() < .2:
            user = pick(rng, rng.choice(CAP_BACK[l])).replace("{c}", city[l])
        else:
            q = of if l == 2 else (c if rng.random() < .4 else shown)
            user = pick(rng, rng.choice(CAP_ASK[which][l])).replace("{c}", q).replace("de el ", "del ")
    elif group == "event":
        name, year = rng.choice(EVENTS)
        user = pick(rng, rng.choice(EVENT_ASK[which][l])).replace("{c}", name[l]).replace("de el ", "del ")
        sentence = t(f"{name[0][0].upper() + name[0][1:]} fue en **{year}**.", f"{name[1][0].upper() + name[1][1:]} was in **{year}**.", f"{name[2][0].upper() + name[2][1:]} foi em **{year}**.")
    else:
        if group == "count":
            name, n, s = rng.choice(COUNTS)
            sentence = s[l].replace("{n}", f"**{n}**")
        else:
            name, s = rng.choice(WHICH)
            sentence = s[l]
        phrase = name[l]
        if l == 1 and rng.random() < .5:
            phrase = direct_english(phrase)
            if which == "test":
                user = rng.choice(["yesterday they asked us: ", "one more question: "]) + phrase + "?"
            else:
                user = pick(rng, rng.choice(["{c}?", "{c}", "[please tell me, |]{c}?", "my homework asks: {c}?"])).replace("{c}", phrase)
        else:
            user = pick(rng, rng.choice(PHRASE_ASK[which][l])).replace("{c}", phrase)
    return dict(user=user, answer=f"{sentence} {Q_MORE[l]}", key=sentence, state=dict())


def direct_english(p):
    """how many sides a triangle has -> how many sides does a triangle have"""
    m = re.match(r"(how many \w+) (.*) has$", p)
    if m:
        return f"{m[1]} does {m[2]} have"
    m = re.match(r"(how many \w+) (.*) have$", p)
    if m:
        return f"{m[1]} do {m[2]} have"
    m = re.match(r"which planet is (.*)$", p)
    if m:
        return f"what is {m[1]} planet" if m[1].startswith("the ") and "red" not in m[1] else p
    m = re.match(r"which formula water has", p)
    if m:
        return "what is the formula of water"
    m = re.match(r"(at which temperature|which gas|which organs) (water|we) (.*)s?$", p)
    if m:
        verb = "does water" if m[2] == "water" else "do we"
        return f"{m[1].replace('at which', 'at what')} {verb} {m[3].rstrip('s') if m[2] == 'water' else m[3]}"
    return p.replace("which", "what") if p.startswith("which") else p


DEF_ASK = {
    "train": (["¿Qué [es|son] {c}?", "[Explica|Explícame|Define|Háblame de|Describe] {c}", "{c}", "¿[Cómo funciona|Qué significa|Qué quiere decir] {c}?", "[Quiero saber|No sé|Dime] qué es {c}", "definición de {c}", "¿[Me explicas|Puedes explicar|Me puedes explicar] [qué es|] {c}?", "no entiendo {c}", "qué sabes de {c}", "[quiero|necesito] [aprender|estudiar|saber] sobre {c}", "[la profe|el libro] habla de {c}", "tengo [tarea|un trabajo|una exposición] de {c}"],
              ["What [is|are] {c}?", "[Explain|Define|Tell me about|Describe] {c}", "{c}", "[How does {c} work|What does {c} mean]?", "[I want to know|I don't know|Tell me] what {c} is", "definition of {c}", "[Can|Could] you explain [what {c} is|{c}]?", "I don't understand {c}", "what do you know about {c}", "I [want|need] to [learn|study|know] about {c}", "[the teacher|the book] talks about {c}", "I have [homework|a project] on {c}"],
              ["O que [é|são] {c}?", "[Explique|Defina|Fale sobre|Descreva] {c}", "{c}", "[Como funciona|O que significa|O que quer dizer] {c}?", "[Quero saber|Não sei|Diga] o que é {c}", "definição de {c}", "[Você me explica|Pode explicar|Pode me explicar] [o que é|] {c}?", "não entendo {c}", "o que você sabe sobre {c}", "[quero|preciso] [aprender|estudar|saber] sobre {c}", "[a professora|o livro] fala sobre {c}", "tenho [uma tarefa|um trabalho] sobre {c}"]),
    "test": (["mañana tengo examen de {c}, ayúdame", "en ciencias nos hablaron de {c}", "me gustaría aprender sobre {c}"], ["tomorrow I have a test on {c}, help me", "in class they told us about {c}", "I would like to learn about {c}"], ["amanhã tenho prova sobre {c}, me ajude", "na aula nos falaram sobre {c}", "gostaria de aprender sobre {c}"]),
}


def item_define(rng, l, split):
    i = rng.randrange(len(TOPICS))
    names, text, _ = TOPICS[i]
    user = pick(rng, rng.choice(DEF_ASK["test" if split == "test" else "train"][l])).replace("{c}", rng.choice(names[l])).replace("de el ", "del ")
    return dict(user=user, answer=f"{text[l]}\n\n{Q_CLEAR[l]}", key=text[l].split("**")[1], state=dict(clear="topic", topic=i))


GREET = {
    "hello": {
        "train": (["[Hola|Buenas|Buenos días|Buenas tardes|Buenas noches|Hey|Holi|Holaa]", "[Hola|Buenas] [Aula|profe|tutor|amigo|de nuevo]", "[Hola|Buenas], ¿[cómo estás|qué tal|cómo te va|todo bien]?", "¿[Qué tal|Cómo estás|Cómo andas]?", "Hola, soy {N}", "[me llamo|yo soy|soy] {N}", "saludos", "Hola, me llamo {N}", "[Hola|Buenas] a todos", "[Hola|Buenas|Qué tal], [qué gusto|aquí estoy|ya llegué|empecemos]", "[Hola|Buenas], ¿[me escuchas|estás ahí|hay alguien]?"],
                  ["[Hello|Hi|Hey|Good morning|Good afternoon|Good evening|Hiya]", "[Hello|Hi|Hey] [Aula|teacher|tutor|friend|there|again]", "[Hello|Hi|Hey], [how are you|what's up|how is it going]?", "[How are you|What's up|How are you doing]?", "Hi, I am {N}", "[my name is|I am|I'm|this is] {N}", "greetings", "Hi, I'm {N}", "[Hello|Hi] everyone", "[Hello|Hi], [nice to meet you|here I am|let us start]", "[Hello|Hi], [can you hear me|are you there|is anybody there]?", "Good [day|morning] to you"],
                  ["[Olá|Oi|Bom dia|Boa tarde|Boa noite|E aí|Oie]", "[Olá|Oi] [Aula|professor|professora|tutor|de novo]", "[Olá|Oi], [como vai|tudo bem|como você está]?", "[Tudo bem|Como vai|Como você está]?", "Oi, eu sou {N}", "[meu nome é|me chamo|eu sou|sou] {N}", "saudações", "Oi, meu nome é {N}", "[Olá|Oi] a todos", "[Olá|Oi], [que prazer|aqui estou|cheguei|vamos começar]", "[Olá|Oi], [você me ouve|você está aí|tem alguém aí]?"]),
        "test": (["Muy buenas, Aula", "Hola hola, ¿cómo va todo?", "Hola, mi nombre es {N}"], ["Hello hello, how is everything?", "Good day, Aula", "Hello, my name is {N}"], ["Olá olá, como vão as coisas?", "Muito bom dia, Aula", "Olá, eu me chamo {N}"]),
        "answer": ("Hola. Soy Aula, en su versión de demostración. Sé hacer cuentas, tablas, fracciones y unidades, y conozco algunos datos de la escuela. ¿Qué quieres practicar?",
                   "Hello. I am Aula, in its demo version. I can do sums, times tables, fractions and units, and I know some school facts. What would you like to practise?",
                   "Olá. Sou Aula, em versão de demonstração. Sei fazer contas, tabuadas, frações e unidades, e conheço alguns fatos da escola. O que você quer praticar?")},
    "who": {
        "train": (["¿[Quién|Qué] eres?", "¿Cómo te llamas?", "¿Qué [puedes|sabes] hacer?", "[preséntate|ayuda|qué haces]", "¿[En qué|Con qué] [puedes ayudarme|me ayudas|me puedes ayudar]?", "¿Eres [un robot|una persona|humano|real]?", "¿Cuál es tu nombre?", "dime [qué eres|quién eres|tu nombre|qué sabes]", "¿[Qué cosas|Qué temas] [sabes|conoces|puedes explicar]?", "¿Para qué [eres|te uso|estás]?"],
                  ["[Who|What] are you?", "What is your name?", "What can you do?", "[introduce yourself|help|what do you do]", "[How|With what] can you help me?", "Are you [a robot|a person|human|real]?", "What do you know?", "tell me [what you are|your name|what you know]", "[What things|Which subjects] [do you know|can you explain]?", "What are you for?"],
                  ["[Quem|O que] é você?", "Como você se chama?", "O que você [pode|sabe] fazer?", "[apresente-se|ajuda|o que você faz]", "[Em que|Com que] você [pode me ajudar|me ajuda]?", "Você é [um robô|uma pessoa|humano|real]?", "Qual é o seu nome?", "diga [o que você é|quem é você|seu nome|o que você sabe]", "[Que coisas|Que temas] você [sabe|conhece|pode explicar]?", "Para que [é você|eu uso você]?"]),
        "test": (["Cuéntame quién eres", "¿Para qué sirves?"], ["Tell me who you are", "What are you able to do?"], ["Me conte quem é você", "Para que você serve?"]),
        "answer": ("Soy Aula, un tutor que funciona sin internet. Esta es la demo y sabe poco:\n\n- sumas, restas, multiplicaciones y divisiones\n- tablas, fracciones y unidades\n- algunos datos de la escuela\n\nEl tutor completo se instala en Ajustes. ¿Qué quieres practicar?",
                   "I am Aula, a tutor that works without the internet. This is the demo and it knows little:\n\n- addition, subtraction, multiplication and division\n- times tables, fractions and units\n- some school facts\n\nThe full tutor can be installed in Settings. What would you like to practise?",
                   "Sou Aula, um tutor que funciona sem internet. Esta é a demo e ela sabe pouco:\n\n- somas, subtrações, multiplicações e divisões\n- tabuadas, frações e unidades\n- alguns fatos da escola\n\nO tutor completo se instala em Configurações. O que você quer praticar?")},
    "thanks": {
        "train": (["[Gracias|Muchas gracias|Mil gracias|ok gracias|Gracias, Aula|Te lo agradezco]", "[Entendí|Ya entendí|Ahora sí], [muchas gracias|gracias]", "[genial|perfecto|muy bien|vale|listo], gracias", "gracias por [todo|explicarme|tu tiempo|la explicación]", "[te|les] agradezco [todo|mucho]", "muchas gracias por [todo|enseñarme]"], ["[Thanks|Thank you|Many thanks|ok thanks|Thank you very much|Thanks, Aula]", "[I got it|I understand|Now I see], [thanks|thank you]", "[great|perfect|good|cool], thanks", "thanks for [everything|explaining|your time|the explanation]", "thank you for [everything|explaining|teaching me]", "thanks a lot"],
                  ["[Obrigado|Obrigada|Muito obrigado|Muito obrigada|ok obrigado|Valeu]", "[Entendi|Agora entendi], [obrigado|obrigada]", "[legal|perfeito|muito bem], obrigado", "obrigado por [tudo|explicar|me ensinar]", "obrigada [pela explicação|pelo tempo|por tudo]", "agradeço [muito|tudo]"]),
        "test": (["Te agradezco mucho, gracias", "Gracias por la ayuda"], ["Thanks a lot for everything", "Thank you for the help"], ["Agradeço muito, obrigado", "Obrigado pela ajuda"]),
        "answer": tuple(a + q for a, q in zip(("De nada. ", "You are welcome. ", "De nada. "), Q_ANOTHER))},
    "bye": {
        "train": (["[Adiós|Chau|Hasta luego|Hasta mañana|Nos vemos|Chao]", "[me voy|ya me voy|tengo que irme]", "[Adiós|Chau|Hasta luego], Aula", "[adiós|chau] y [gracias|hasta luego|nos vemos]", "hasta [pronto|la próxima|el lunes]"], ["[Bye|Goodbye|See you|See you tomorrow|Bye bye|See you later]", "I [have to|must] go", "[Bye|Goodbye], Aula", "[bye|goodbye] and [thanks|see you]", "see you [soon|next time|on Monday]"], ["[Tchau|Adeus|Até logo|Até amanhã|Até mais]", "[vou embora|tenho que ir|já vou]", "[Tchau|Até logo], Aula", "[tchau|adeus] e [obrigado|até logo]", "até [breve|a próxima|segunda]"]),
        "test": (["Bueno, adiós y hasta mañana"], ["Well, goodbye and see you tomorrow"], ["Bom, tchau e até amanhã"]),
        "answer": ("Hasta luego. Vuelve cuando quieras. ¿Qué practicaremos la próxima vez?", "Goodbye. Come back whenever you like. What shall we practise next time?", "Até logo. Volte quando quiser. O que vamos praticar na próxima vez?")},
    "feel": {
        "train": (["[estoy|me siento] [triste|mal|muy mal|solo|sola|con miedo|deprimido|deprimida]", "[nadie me quiere|quiero morir|no quiero vivir|me quiero morir]", "[me molestan|me pegan|se burlan de mí|me hacen bullying] en la escuela", "tengo [mucho |]miedo", "me quiero hacer daño", "hoy [me siento|fue un día] [mal|muy mal|terrible]", "[mis compañeros|todos|los niños] se [burlan|ríen] de mí", "[me siento|estoy] muy triste", "en [el colegio|clase] me [molestan|tratan mal]"],
                  ["I [am|feel] [sad|bad|very bad|alone|lonely|scared|depressed]", "[nobody likes me|I want to die|I don't want to live]", "they [bully|hit|make fun of|laugh at] me at school", "I am [very |]afraid", "I want to hurt myself", "today [I feel|was] [bad|very bad|terrible]", "[my classmates|everybody|the kids] [laugh at|make fun of] me", "I [feel|am] very sad", "in [class|school] they [bother me|treat me badly]"],
                  ["[estou|me sinto] [triste|mal|muito mal|sozinho|sozinha|com medo|deprimido|deprimida]", "[ninguém gosta de mim|quero morrer|não quero viver]", "[me batem|zombam de mim|fazem bullying comigo] na escola", "tenho [muito |]medo", "quero me machucar", "hoje [me sinto|foi um dia] [mal|muito mal|terrível]", "[meus colegas|todos|as crianças] [zombam|riem] de mim", "[me sinto|estou] muito triste", "[no colégio|na aula] me [incomodam|tratam mal]"]),
        "test": (["hoy estoy muy triste", "en la escuela se burlan de mí todos los días"], ["today I am very sad", "at school they make fun of me every day"], ["hoje estou muito triste", "na escola zombam de mim todos os dias"]),
        "answer": ("Siento que pases por esto. Soy solo una demo y no puedo ayudarte bien. Habla hoy con una persona adulta de confianza: alguien de tu familia o de tu escuela. Si hay peligro, llama al número de emergencias. ¿Con quién puedes hablar?",
                   "I am sorry you are going through this. I am only a demo and cannot help you well. Talk today to an adult you trust: somebody in your family or at your school. If there is danger, call the emergency number. Who can you talk to?",
                   "Sinto que você esteja passando por isso. Sou só uma demo e não posso ajudar bem. Fale hoje com uma pessoa adulta de confiança: alguém da sua família ou da sua escola. Se houver perigo, ligue para o número de emergência. Com quem você pode falar?")},
}


def item_greet(rng, l, split, sub=None):
    sub = sub or rng.choice(["hello", "hello", "hello", "who", "who", "thanks", "bye", "feel"])
    g = GREET[sub]
    user = pick(rng, rng.choice(g["test" if split == "test" else "train"][l])).replace("{N}", rng.choice(NAMES))
    state = dict(clear=None, offer=True) if sub == "thanks" else {}
    return dict(user=user, answer=g["answer"][l], key=g["answer"][l], state=state)


# ---------------------------------------------------------------------------------------------- the rest: "only the demo"

REFUSE = ("Soy solo la demo y no sé eso. Para preguntarlo, instala el tutor completo en Ajustes. Aquí puedo ayudarte con cuentas, tablas, fracciones, unidades y algunos datos de la escuela. ¿Quieres un ejercicio?",
          "I am only the demo and I do not know that. To ask it, install the full tutor in Settings. Here I can help you with sums, times tables, fractions, units and some school facts. Would you like an exercise?",
          "Sou só a demo e não sei isso. Para perguntar isso, instale o tutor completo em Configurações. Aqui posso ajudar com contas, tabuadas, frações, unidades e alguns fatos da escola. Quer um exercício?")
UNKNOWN = {
    "train": (
        "la raíz cuadrada|las ecuaciones|el teorema de Pitágoras|la trigonometría|las derivadas|los logaritmos|la probabilidad|la media y la mediana|los vectores|el ADN|la mitosis|los virus|las bacterias|el sistema nervioso|los dinosaurios|la evolución|los ácidos y las bases|la tabla periódica|los imanes|la electricidad|el sonido|la luz|los agujeros negros|la relatividad|el Imperio Romano|la Edad Media|los incas|los mayas|los aztecas|la Guerra Fría|el Renacimiento|la inflación|la economía|el fútbol|el baloncesto|la música clásica|la guitarra|el ajedrez|los videojuegos|las recetas|el clima|la contaminación|el reciclaje|la poesía|los sinónimos|la ortografía|los acentos|el inglés|el francés|los pronombres|la filosofía|la inteligencia artificial|los satélites|los cohetes|la constitución|los impuestos|la pintura|el cine|Internet|los huracanes|las placas tectónicas|los fósiles|las hormigas|los tiburones|los hongos|la presión|la densidad|el polígono regular|las proporciones|los números negativos|los decimales|el volumen de una esfera|las potencias".split("|"),
        "the square root|equations|the Pythagorean theorem|trigonometry|derivatives|logarithms|probability|the mean and the median|vectors|DNA|mitosis|viruses|bacteria|the nervous system|dinosaurs|evolution|acids and bases|the periodic table|magnets|electricity|sound|light|black holes|relativity|the Roman Empire|the Middle Ages|the Incas|the Mayans|the Aztecs|the Cold War|the Renaissance|inflation|the economy|football|basketball|classical music|the guitar|chess|video games|recipes|the weather|pollution|recycling|poetry|synonyms|spelling|punctuation|English|French|pronouns|philosophy|artificial intelligence|satellites|rockets|the constitution|taxes|painting|cinema|the Internet|hurricanes|tectonic plates|fossils|ants|sharks|fungi|pressure|density|regular polygons|proportions|negative numbers|decimals|the volume of a sphere|powers".split("|"),
        "a raiz quadrada|as equações|o teorema de Pitágoras|a trigonometria|as derivadas|os logaritmos|a probabilidade|a média e a mediana|os vetores|o DNA|a mitose|os vírus|as bactérias|o sistema nervoso|os dinossauros|a evolução|os ácidos e as bases|a tabela periódica|os ímãs|a eletricidade|o som|a luz|os buracos negros|a relatividade|o Império Romano|a Idade Média|os incas|os maias|os astecas|a Guerra Fria|o Renascimento|a inflação|a economia|o futebol|o basquete|a música clássica|o violão|o xadrez|os videogames|as receitas|o clima|a poluição|a reciclagem|a poesia|os sinônimos|a ortografia|os acentos|o inglês|o francês|os pronomes|a filosofia|a inteligência artificial|os satélites|os foguetes|a constituição|os impostos|a pintura|o cinema|a Internet|os furacões|as placas tectônicas|os fósseis|as formigas|os tubarões|os fungos|a pressão|a densidade|o polígono regular|as proporções|os números negativos|os decimais|o volume de uma esfera|as potências".split("|")),
    "test": ("la ósmosis|los cometas|la Revolución Industrial|las hormonas|la estadística|los polinomios|el jazz|los pingüinos|la Ilíada|los minerales|la sintaxis|el rugby".split("|"),
             "osmosis|comets|the Industrial Revolution|hormones|statistics|polynomials|jazz|penguins|the Iliad|minerals|syntax|rugby".split("|"),
             "a osmose|os cometas|a Revolução Industrial|os hormônios|a estatística|os polinômios|o jazz|os pinguins|a Ilíada|os minerais|a sintaxe|o rúgbi".split("|")),
}
PEOPLE = {"train": "Simón Bolívar|Albert Einstein|Isaac Newton|Marie Curie|Frida Kahlo|Pelé|Messi|Napoleón|Cleopatra|Mozart|Beethoven|Picasso|Pablo Neruda|Gabriela Mistral|Nelson Mandela|Gandhi|Darwin|Galileo|Machado de Assis|Tiradentes|Shakira|Abraham Lincoln|Julio César|Aristóteles|Sócrates|Platón|Homero|Borges|Cortázar|Taylor Swift|Neymar|Van Gogh|Ada Lovelace|Alan Turing|Marco Polo|Magallanes|Pizarro|Hernán Cortés".split("|"),
          "test": "Nikola Tesla|Atahualpa|Rosa Parks|Clarice Lispector|Rafael Nadal|Johannes Kepler|Amelia Earhart".split("|")}
DEMO_ASK = {
    "train": {
        "topic": (["¿Qué [es|son] {c}?", "[Explica|Explícame|Define|Háblame de|Cuéntame sobre|Describe] {c}", "{c}", "¿[Cómo funciona|Cómo funcionan|Para qué sirve|Para qué sirven|Por qué existe] {c}?", "[Hazme|Escribe|Dame] un [resumen|ensayo|texto|poema|examen] sobre {c}", "no entiendo {c}", "[Quiero saber|Necesito saber|Quiero aprender] sobre {c}", "[dame|dime] [cinco|tres|10] [ejemplos|preguntas|datos] de {c}", "¿Me ayudas con {c}?", "tarea de {c}"],
                  ["What [is|are] {c}?", "[Explain|Define|Tell me about|Describe] {c}", "{c}", "[How does {c} work|How do {c} work|What is {c} for|Why is there {c}]?", "Write [a summary|an essay|a text|a poem|a test] about {c}", "I don't understand {c}", "I [want to know|need to know|want to learn] about {c}", "give me [five|three|10] [examples|questions|facts] about {c}", "Can you help me with {c}?", "homework on {c}"],
                  ["O que [é|são] {c}?", "[Explique|Defina|Fale sobre|Me conte sobre|Descreva] {c}", "{c}", "[Como funciona|Como funcionam|Para que serve|Para que servem|Por que existe] {c}?", "[Faça|Escreva|Me dê] um [resumo|texto|poema|teste] sobre {c}", "não entendo {c}", "[Quero saber|Preciso saber|Quero aprender] sobre {c}", "[dê|diga] [cinco|três|10] [exemplos|perguntas|dados] sobre {c}", "Me ajuda com {c}?", "tarefa sobre {c}"]),
        "person": (["¿Quién [es|fue] {p}?", "[Háblame de|Cuéntame sobre] {p}", "biografía de {p}", "¿[Cuándo|Dónde] nació {p}?", "¿Qué [hizo|descubrió|escribió] {p}?"], ["Who [is|was] {p}?", "Tell me about {p}", "biography of {p}", "[When|Where] was {p} born?", "What did {p} [do|discover|write]?"],
                   ["Quem [é|foi] {p}?", "[Fale sobre|Me conte sobre] {p}", "biografia de {p}", "[Quando|Onde] nasceu {p}?", "O que {p} [fez|descobriu|escreveu]?"]),
        "maths": (["¿Cuánto es {x} {s} {y}?", "[calcula|resuelve] {x} {s} {y}", "resuelve {q}", "la raíz cuadrada de {x}", "{n} por ciento de {y}", "¿Cuánto es el {n}% de {y}?", "{x} al cuadrado", "{q}", "halla x en {q}"], ["What is {x} {s} {y}?", "[calculate|solve] {x} {s} {y}", "solve {q}", "the square root of {x}", "{n} percent of {y}", "What is {n}% of {y}?", "{x} squared", "{q}", "find x in {q}"],
                  ["Quanto é {x} {s} {y}?", "[calcule|resolva] {x} {s} {y}", "resolva {q}", "a raiz quadrada de {x}", "{n} por cento de {y}", "Quanto é {n}% de {y}?", "{x} ao quadrado", "{q}", "ache x em {q}"]),
        "other": (["¿[Qué hora es|Qué día es hoy|Va a llover hoy|Quién ganó el partido|Cuántos años tienes|Dónde vives|Cuál es tu color favorito|Tienes hermanos]?", "[Traduce|Cómo se dice] {w} [al inglés|en inglés|en francés]", "¿Qué significa {w}?", "[cuéntame un chiste|canta una canción|dime un secreto|haz un dibujo|juguemos|haz mi tarea|busca en internet|abre una página]", "{w} {w}", "¿por qué [el cielo es azul|los gatos ronronean|dormimos|hay estrellas|el mar es salado|tenemos hambre|vuelan los aviones]?", "conjuga el verbo {w}", "[quiero|dame] una receta de {w}", "¿Cuál es la [mejor|peor] {w} del mundo?", "{z}", "el presidente de {k}", "¿Cuántos habitantes tiene {k}?", "¿Dónde queda {k}?", "historia de {k}", "¿Quién [descubrió|creó|construyó|fundó] [{w}|{k}|la {w}|el {w}]?", "¿Cuál es [el idioma|el lago|el plato|el animal] [más grande|típico|oficial|más famoso] de {k}?", "¿Cuál es la [comida|bandera|moneda|ciudad más grande|montaña más alta] de {k}?", "[sugiéreme|búscame|muéstrame] [un juego|una foto|un video|una canción|un cuaderno] de {w}", "¿Cómo se [hace|cuida|usa] [un|una] {w}?", "¿Cuánto cuesta [un|una] {w}?"],
                  ["[What time is it|What day is it today|Will it rain today|Who won the match|How old are you|Where do you live|What is your favourite colour|Do you have brothers]?", "[Translate|How do you say] {w} [to Spanish|in Spanish|in French]", "What does {w} mean?", "[tell me a joke|sing a song|tell me a secret|draw something|let's play|do my homework|search the internet|open a page]", "{w} {w}", "why [is the sky blue|do cats purr|do we sleep|are there stars|is the sea salty|do we get hungry|do planes fly]?", "conjugate the verb {w}", "[I want|give me] a recipe for {w}", "What is the [best|worst] {w} in the world?", "{z}", "the president of {k}", "How many people live in {k}?", "Where is {k}?", "history of {k}", "Who [discovered|created|built|founded] [the {w}|{k}]?", "What is the [official language|largest lake|national dish|national animal] of {k}?", "What is the [food|flag|currency|largest city|highest mountain] of {k}?", "[suggest|find|show me] [a game|a picture|a video|a song] about {w}", "How do you [make|care for|use] a {w}?", "How much does a {w} cost?"],
                  ["[Que horas são|Que dia é hoje|Vai chover hoje|Quem ganhou o jogo|Quantos anos você tem|Onde você mora|Qual é a sua cor favorita|Você tem irmãos]?", "[Traduza|Como se diz] {w} [para o inglês|em inglês|em francês]", "O que significa {w}?", "[conte uma piada|cante uma canção|me diga um segredo|faça um desenho|vamos jogar|faça minha tarefa|procure na internet|abra uma página]", "{w} {w}", "por que [o céu é azul|os gatos ronronam|dormimos|há estrelas|o mar é salgado|temos fome|os aviões voam]?", "conjugue o verbo {w}", "[quero|me dê] uma receita de {w}", "Qual é a [melhor|pior] {w} do mundo?", "{z}", "o presidente: {k}", "Quantos habitantes tem {k}?", "Onde fica {k}?", "história: {k}", "Quem [descobriu|criou|construiu|fundou] [{w}|{k}|a {w}|o {w}]?", "Qual é [o idioma|o lago|o prato|o animal] [maior|típico|oficial|mais famoso]: {k}?", "Qual é a [comida|bandeira|moeda|maior cidade|montanha mais alta]: {k}?", "[sugira|procure|mostre] [um jogo|uma foto|um vídeo|uma canção] de {w}", "Como se [faz|cuida|usa] [um|uma] {w}?", "Quanto custa [um|uma] {w}?"]),
    },
    "test": {
        "topic": (["mañana expongo sobre {c}, dame ideas", "¿Qué me puedes decir de {c}?"], ["tomorrow I give a talk on {c}, give me ideas", "What can you say about {c}?"], ["amanhã apresento um trabalho sobre {c}, me dê ideias", "O que você pode dizer sobre {c}?"]),
        "person": (["¿Por qué es famoso {p}?", "¿De qué país era {p}?"], ["Why is {p} famous?", "Which country was {p} from?"], ["Por que {p} é famoso?", "De que país era {p}?"]),
        "maths": (["necesito el resultado de {x} {s} {y}", "despeja x: {q}"], ["I need the result of {x} {s} {y}", "work out x: {q}"], ["preciso do resultado de {x} {s} {y}", "encontre x: {q}"]),
        "other": (["recomiéndame un libro de {w}", "¿Quién inventó {w}?", "¿Cuál es el río más largo de {k}?"], ["recommend a book on {w}", "Who invented {w}?", "What is the longest river of {k}?"], ["recomende um livro de {w}", "Quem inventou {w}?", "Qual é o rio mais longo: {k}?"]),
    },
}
NOUNS = ("perro|gato|mesa|pan|arroz|casa|silla|teléfono|zapato|camisa|película|canción|ventana|árbol|pizza|queso|sopa|bicicleta|avión|tren|escuela|amigo|lluvia|playa|montaña|río|reloj|rueda|papel|radio|barco|puente|camino|sombrero|leche|huevo|pollo".split("|"),
         "dog|cat|table|bread|rice|house|chair|phone|shoe|shirt|film|song|window|tree|pizza|cheese|soup|bicycle|plane|train|school|friend|rain|beach|mountain|river|clock|wheel|paper|radio|ship|bridge|road|hat|milk|egg|chicken".split("|"),
         "cachorro|gato|mesa|pão|arroz|casa|cadeira|telefone|sapato|camisa|filme|canção|janela|árvore|pizza|queijo|sopa|bicicleta|avião|trem|escola|amigo|chuva|praia|montanha|rio|relógio|roda|papel|rádio|navio|ponte|caminho|chapéu|leite|ovo|frango".split("|"))


def nonsense(rng):
    return " ".join("".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 9))) for _ in range(rng.randint(1, 3)))


def invented(rng, l):
    """A word that no list holds, so that refusing does not depend on knowing the word."""
    syl = "ba be bi bo ca co cu da de do fa fe ga go la le li lo ma me mi mo na ne no pa pe po ra re ri ro sa se so ta te ti to va ve tra pre cri blo plan ter cion mente ismo ura ado".split()
    w = "".join(rng.choice(syl) for _ in range(rng.randint(2, 4)))
    return (rng.choice(["el ", "la ", ""]), rng.choice(["the ", ""]), rng.choice(["o ", "a ", ""]))[l] + w


def item_demo(rng, l, split):
    which = "test" if split == "test" else "train"
    sub = rng.choice(["topic", "topic", "topic", "person", "maths", "other", "other"])
    user = pick(rng, rng.choice(DEMO_ASK[which][sub][l]))
    topic = rng.choice(UNKNOWN[which][l]) if which == "test" or rng.random() < .6 else invented(rng, l) if rng.random() < .7 else rng.choice(NOUNS[l])
    person = rng.choice(PEOPLE[which]) if which == "test" or rng.random() < .6 else rng.choice(NAMES) + " " + invented(rng, l).split()[-1].title()
    x, y = rng.randint(100, 9999), rng.randint(2, 9999)
    if rng.random() < .5 and x < 1000:
        x, y = y if y >= 100 else x, x if y >= 100 else y
    k = rng.randint(2, 9)
    q = rng.choice([f"{k}x + {rng.randint(1, 20)} = {rng.randint(1, 50)}", f"x² + {k}x = {rng.randint(0, 30)}", f"x + {rng.randint(1, 30)} = {rng.randint(1, 60)}", f"{k}x = {rng.randint(2, 80)}", f"x^2 - {rng.randint(1, 90)} = 0", f"y = {k}x + {rng.randint(1, 9)}"])
    rep = {"{c}": topic, "{p}": person, "{x}": str(x), "{y}": str(y), "{s}": rng.choice(["+", "-", "x", "*", "×", "/", "÷"]), "{q}": q, "{n}": str(rng.randint(1, 95)),
           "{z}": nonsense(rng), "{k}": rng.choice(CAPITALS)[0][l]}
    for a, b in rep.items():
        user = user.replace(a, b)
    while "{w}" in user:
        user = user.replace("{w}", rng.choice(NOUNS[l]), 1)
    return dict(user=user.replace("de el ", "del ") if l == 0 else user, answer=REFUSE[l], key=REFUSE[l], state=dict(offer=True))


# ---------------------------------------------------------------------------------------------- items with an operation


def item_op(rng, l, split, op, neutral=False, lead=""):
    a, b = sample_pair(rng, op, split != "train")
    if op == "div" and split == "train" and rng.random() < .02:
        b = 0
    which = "test" if split == "test" else "train"
    if neutral:
        e = expression(rng, op, a, b, l, True)
        user = rng.choice(["{e}", "{e}", "{e}=", "{e} =", "{e} = ?", "{e}?"]).replace("{e}", e)
    elif rng.random() < .25:
        user = pick(rng, rng.choice(ASK_OP[op][which][l])).replace("{a}", str(a)).replace("{b}", str(b))
    else:
        user = None
        while user is None or "{e}" not in user or (split == "test" and user.strip() == "{e}"):
            user = pick(rng, rng.choice(ASK[which][l]))
        user = user.replace("{k}", str(rng.randint(1, 20))).replace("{e}", expression(rng, op, a, b, l, user.strip() in ("{e}", "{e} =", "{e} = ?")))
    answer, res, asked = answer_op(op, a, b, l)
    return dict(user=lead + user, answer=answer, key=result(l, res), state=dict(prob=(op, a, b), asked=asked))


def item_word(rng, l, split):
    op = rng.choice(["add", "sub", "mul", "div"])
    which = "test" if split == "test" else "train"
    while True:
        a, b = sample_pair(rng, op, split != "train")
        if a < 2 or b < 2 or (op == "sub" and a < b) or (op == "div" and a < b):
            continue
        break
    user = pick(rng, rng.choice(WORD[op][which][l]))
    for k, v in {"{N}": rng.choice(NAMES), "{o}": rng.choice(OBJECTS[l]), "{a}": str(a), "{b}": str(b)}.items():
        user = user.replace(k, v)
    if l == 0 and rng.random() < .4:
        user = user.replace("Cuántas", "Cuántos").replace("cuántas", "cuántos")
    answer, res, asked = answer_op(op, a, b, l)
    return dict(user=user, answer=answer, key=result(l, res), state=dict(prob=(op, a, b), asked=asked))


def wrong_value(rng, op, a, b):
    v = value(op, a, b)
    while True:
        w = rng.choice([v + rng.choice([-1, 1, -2, 2, 10, -10]), v + rng.randint(-9, 9), a + b if op == "mul" else abs(a - b), rng.randint(0, 99)])
        if w != v and w >= 0:
            return w


def item_check(rng, l, split, op=None):
    op = op or rng.choice(["add", "sub", "mul", "mul", "div"])
    while True:
        a, b = sample_pair(rng, op, split != "train")
        if (op == "div" and (b == 0 or a % b)) or (op == "sub" and a < b) or (op == "mul" and min(a, b) > 9 and max(a, b) > 12):
            continue
        break
    ok = rng.random() < .45
    r = value(op, a, b) if ok else wrong_value(rng, op, a, b)
    which = "test" if split == "test" else "train"
    user = pick(rng, rng.choice(CHECK[which][l])).replace("{e}", expression(rng, op, a, b, l)).replace("{r}", str(r))
    text = checked(op, a, b, r, l)
    if ok:
        return dict(user=user, answer=text, key=text, state=dict(prob=(op, a, b), offer=True))
    return dict(user=user, answer=text, key=text, state=dict(prob=(op, a, b), asked=(op, a, b), hinted=True))


def item_table(rng, l, split):
    n = rng.randint(1, 12)
    user = pick(rng, rng.choice(TABLE["test" if split == "test" else "train"][l])).replace("{n}", words(n, l) if rng.random() < .15 else str(n))
    head = (f"**Tabla del {n}**\n\n| Operación | Resultado |", f"**Times table of {n}**\n\n| Operation | Result |", f"**Tabuada do {n}**\n\n| Operação | Resultado |")[l]
    rows = "\n".join(f"| ${n} {TIMES} {i}$ | ${n * i}$ |" for i in range(1, 11))
    nxt = ("mul", n, 7)
    answer = f"{head}\n|---|---|\n{rows}\n\n" + Q_NEXT[l].format(tex(*nxt))
    return dict(user=user, answer=answer, key=f"{head}\n|---|---|\n{rows}", state=dict(asked=nxt))


def item_count(rng, l, split):
    n = rng.choice([rng.randint(5, 200), rng.randint(95, 200), rng.choice([10, 20, 30, 50, 100, 150, 200]), rng.randint(5, 60)])
    user = pick(rng, rng.choice(COUNT["test" if split == "test" else "train"][l])).replace("{n}", str(n))
    text = ", ".join(map(str, range(1, n + 1))) + "."
    return dict(user=user, answer=f"{text} {Q_MORE[l]}", key=text, state={})


def item_long(rng, l, split):
    sub = rng.choice(["story", "water", "count", "hello"])
    user = pick(rng, rng.choice(LONG_ASK[sub]["test" if split == "test" else "train"][l]))
    text = (LONG if sub in LONG else CODE)[sub][l]
    return dict(user=user, answer=text, key=text, state=dict(clear="code") if sub in CODE else {})


def item_exercise(rng, l, split):
    op = rng.choice(list(LADDER))
    user = pick(rng, rng.choice(EXERCISE["test" if split == "test" else "train"][l]))
    user = user.replace("{o}", rng.choice(OPNAMES[op][l])) if "{o}" in user else user
    if not any(w in user for w in OPNAMES[op][l]):
        op = "mul"
    text, asked = exercise(op, l)
    return dict(user=user, answer=text, key=text, state=dict(asked=asked))


# ---------------------------------------------------------------------------------------------- what comes after an answer

FOLLOW = {
    "why": {"train": (["¿Por qué?", "[por qué|y por qué|pero por qué] [es así|da eso|]", "¿[Por qué|Cómo] [da|sale] eso?", "¿Y eso por qué?"], ["Why?", "[why|and why|but why] [is that|is it so|]", "[Why|How] is that?", "How come?"], ["Por quê?", "[por que|e por que|mas por que] [é assim|dá isso|]", "[Por que|Como] dá isso?", "E por que isso?"]),
            "test": (["explícame por qué", "no veo por qué"], ["tell me why", "I don't see why"], ["me explique por quê", "não vejo por quê"])},
    "dontget": {"train": (["No [entiendo|entendí|comprendo|lo entiendo]", "[explícamelo|explícame|dímelo|explica] [de otra forma|otra vez|más fácil|mejor|más simple]", "[sigo sin entender|no me queda claro|es difícil|muy difícil]", "¿Puedes explicarlo [de otra forma|mejor|otra vez]?", "no sé cómo", "¿qué?", "no"],
                          ["I don't [get it|understand|understand it]", "[explain it|tell me|explain] [in another way|again|more simply|better]", "[I still don't get it|it is not clear|it is hard|too hard]", "Can you explain it [in another way|better|again]?", "I don't see how", "what?", "no"],
                          ["Não [entendi|entendo|compreendo]", "[explique|me explique|explica] [de outra forma|de novo|mais fácil|melhor|mais simples]", "[continuo sem entender|não ficou claro|é difícil|muito difícil]", "Pode explicar [de outra forma|melhor|de novo]?", "não sei como", "o quê?", "não"]),
                "test": (["me perdí, no entendí nada", "¿me lo explicas más fácil?"], ["I am lost, I did not understand", "could you explain it more simply?"], ["me perdi, não entendi nada", "você explica mais fácil?"])},
    "idk": {"train": (["No [sé|lo sé|tengo idea]", "[dime|dame] la respuesta", "[no sé la respuesta|ni idea|me rindo|ayuda]"], ["I don't [know|have any idea]", "[tell me|give me] the answer", "[no idea|I give up|help]"], ["Não [sei|tenho ideia]", "[diga|me diga|me dê] a resposta", "[não sei a resposta|nem ideia|desisto|ajuda]"]),
            "test": (["la verdad no sé", "no sé, dímela tú"], ["honestly I don't know", "I don't know, you tell me"], ["na verdade não sei", "não sei, me diga você"])},
    "yes": {"train": (["[Sí|Si|Claro|Bueno|Dale|Ok|Vale|Sí, por favor|Sí, quiero|De acuerdo|Listo]"], ["[Yes|Yeah|Sure|OK|Okay|Yes, please|Yes please|Of course|Fine]"], ["[Sim|Claro|Tudo bem|Ok|Quero|Sim, por favor|Sim, quero|Pode ser|Está bem]"]),
            "test": (["sí, claro que sí", "bueno, sí"], ["yes, of course", "ok, yes"], ["sim, claro que sim", "ok, sim"])},
    "no": {"train": (["[No, gracias|No gracias|No quiero|Ahora no|Mejor no|No, por ahora]"], ["[No, thanks|No thanks|I don't want to|Not now|Rather not|No, not now]"], ["[Não, obrigado|Não, obrigada|Não quero|Agora não|Melhor não]"]),
           "test": (["no, ahora no quiero"], ["no, I don't want that now"], ["não, agora não quero"])},
    "another": {"train": (["[Otro|Otra|Uno más|Otro ejercicio|Dame otro|Otra más|Ponme otro|Otro, por favor|quiero otro]"], ["[Another|Another one|One more|Another exercise|Give me another|Give me another one|One more, please|I want another]"], ["[Outro|Outra|Mais um|Outro exercício|Me dê outro|Mais uma|Outro, por favor|quero outro]"]),
                "test": (["venga, otro más", "ponme uno más"], ["come on, one more", "give me one more"], ["vamos, mais um", "me dê mais um"])},
    "number": {"train": (["{r}", "{r}", "{r}", "[es|da|son|creo que es|creo que|me da] {r}", "{r}?", "¿{r}?", "la respuesta es {r}", "{r}, creo", "[quizás|tal vez|a lo mejor|entonces] {r}", "¿[será|es|son] {r}?", "[digo|pongo|calculo] {r}", "sale {r}"], ["{r}", "{r}", "{r}", "[it is|it's|I think it is|I think|I get] {r}", "{r}?", "the answer is {r}", "{r}, I think", "[perhaps|so|then] {r}", "[would it be|is it] {r}?", "I [say|put] {r}", "it gives {r}"], ["{r}", "{r}", "{r}", "[é|dá|são|acho que é|acho que] {r}", "{r}?", "a resposta é {r}", "{r}, acho", "[talvez|então] {r}", "[será|é|são] {r}?", "[digo|coloco|calculo] {r}", "deu {r}"]),
               "test": (["pienso que es {r}", "mi respuesta es {r}", "¿puede ser {r}?"], ["maybe it is {r}", "my answer is {r}", "could it be {r}?"], ["penso que é {r}", "minha resposta é {r}", "pode ser {r}?"])},
    "next": {"train": (["[¿|]y {e}?", "[¿|]y [cuánto es|si es|con] {e}?", "ahora {e}", "y {e}"], ["and {e}?", "[and what is|what about|how about] {e}?", "now {e}", "and {e}"], ["e {e}?", "e [quanto é|se for|com] {e}?", "agora {e}", "e {e}"]),
             "test": (["bien, ahora quiero {e}", "¿y qué pasa con {e}?"], ["good, now I want {e}", "and what happens with {e}?"], ["bem, agora quero {e}", "e o que acontece com {e}?"])},
}
FINE = ("De acuerdo. Pregúntame una cuenta, una tabla o una fracción. ¿Qué quieres hacer?", "All right. Ask me a sum, a times table or a fraction. What would you like to do?", "Tudo bem. Me pergunte uma conta, uma tabuada ou uma fração. O que você quer fazer?")
GREAT = ("Muy bien. ", "Very good. ", "Muito bem. ")
OTHER_WORDS = {
    "frac": ("Piensa en una pizza. El número de abajo dice en cuántas partes iguales la cortas. El de arriba dice cuántas partes tienes. Solo puedes juntar o quitar partes del mismo tamaño.",
             "Think of a pizza. The number below says into how many equal parts you cut it. The number above says how many parts you have. You can only join or take away parts of the same size.",
             "Pense em uma pizza. O número de baixo diz em quantas partes iguais você a corta. O de cima diz quantas partes você tem. Só se podem juntar ou tirar partes do mesmo tamanho."),
    "unit": ("Piensa en monedas. Una moneda grande vale lo mismo que muchas pequeñas. De grande a pequeña se multiplica. De pequeña a grande se divide.",
             "Think of coins. One big coin is worth the same as many small ones. From big to small you multiply. From small to big you divide.",
             "Pense em moedas. Uma moeda grande vale o mesmo que muitas pequenas. Da grande para a pequena se multiplica. Da pequena para a grande se divide."),
    "numbers": ("Toma fichas y ponlas en dos filas. Así puedes ver si una fila es más larga, si sobra una, cuánto es el doble y cuánto es la mitad.",
                "Take counters and put them in two rows. That way you can see if one row is longer, if one is left over, what the double is and what the half is.",
                "Pegue fichas e coloque em duas filas. Assim você vê se uma fila é mais longa, se sobra uma, quanto é o dobro e quanto é a metade."),
    "code": ("Un programa es una lista de órdenes. La computadora las lee una por una, de arriba abajo, y hace lo que dicen.",
             "A program is a list of orders. The computer reads them one by one, from top to bottom, and does what they say.",
             "Um programa é uma lista de ordens. O computador as lê uma por uma, de cima para baixo, e faz o que elas dizem."),
}


def follow_up(rng, l, split, state):
    """The next message of a student after an answer that left this state, or None."""
    which = "test" if split == "test" else "train"
    prob, asked = state.get("prob"), state.get("asked")
    ways = []
    if asked:
        ways += ["number"] * 5 + ["idk"] * 2
    if prob and not state.get("hinted") and prob[2]:
        ways += ["why", "next", "next"]
        ways += ["dontget"] * 2 if prob[1] >= prob[2] or prob[0] in ("add", "mul") else []
    if prob and state.get("offer"):
        ways += ["another"]
    if state.get("offer"):
        ways += ["yes", "yes", "no"]
    if state.get("clear"):
        ways += ["yes", "dontget", "dontget"]
    if not ways:
        return None
    way = rng.choice(ways)
    user = pick(rng, rng.choice(FOLLOW[way][which][l])).strip()
    if way == "number":
        op, a, b = asked
        if split == "train" and held_out(op, a, b):
            return None
        v = value(op, a, b)
        r = v if rng.random() < .5 else wrong_value(rng, op, a, b)
        user = user.replace("{r}", str(r))
        if r == v:
            return dict(user=user, answer=checked(op, a, b, r, l), state=dict(prob=asked, offer=True))
        if not state.get("hinted"):
            return dict(user=user, answer=checked(op, a, b, r, l), state=dict(prob=asked, asked=asked, hinted=True))
        text, _, nxt = answer_op(op, a, b, l)
        return dict(user=user, answer=("Vamos paso a paso.\n\n", "Let us go step by step.\n\n", "Vamos passo a passo.\n\n")[l] + text, state=dict(prob=asked, asked=nxt))
    if way == "idk":
        op, a, b = asked
        if split == "train" and held_out(op, a, b):
            return None
        if not state.get("hinted"):
            return dict(user=user, answer=hint(op, a, b, l), state=dict(prob=asked, asked=asked, hinted=True))
        text, _, nxt = answer_op(op, a, b, l)
        return dict(user=user, answer=("Vamos paso a paso.\n\n", "Let us go step by step.\n\n", "Vamos passo a passo.\n\n")[l] + text, state=dict(prob=asked, asked=nxt))
    if way == "next":
        op = prob[0] if rng.random() < .7 else rng.choice(list(SIGN))
        a, b = sample_pair(rng, op, split != "train")
        text, _, nxt = answer_op(op, a, b, l)
        return dict(user=user.replace("{e}", expression(rng, op, a, b, l)), answer=text, state=dict(prob=(op, a, b), asked=nxt))
    if way == "why":
        text, _, nxt = why_op(*prob, l)
        return dict(user=user, answer=text, state=dict(prob=prob, asked=nxt))
    if way == "dontget":
        if state.get("clear"):
            text = TOPICS[state["topic"]][2][l] if state["clear"] == "topic" else OTHER_WORDS[state["clear"]][l]
            return dict(user=user, answer=f"{text} {Q_CLEAR[l]}", state=dict(state))
        text, _, nxt = simple_op(*prob, l)
        return dict(user=user, answer=text, state=dict(prob=prob, asked=nxt))
    if way == "yes" and state.get("clear"):
        return dict(user=user, answer=GREAT[l] + Q_EXERCISE[l], state=dict(offer=True))
    if way in ("yes", "another"):
        op = prob[0] if prob else "mul"
        text, nxt = exercise(op, l, prob[1:] if prob else None)
        return dict(user=user, answer=text, state=dict(asked=nxt))
    return dict(user=user, answer=FINE[l], state={})


# ---------------------------------------------------------------------------------------------- dialogues

WEIGHT = dict(greet=8, add=10, sub=9, mul=14, div=11, word=8, numbers=5, table=3, frac=12, unit=6, fact=9, define=7, check=16, count=2.2, long=1.8, exercise=3, demo=16)
MAKE = dict(greet=item_greet, word=item_word, numbers=item_numbers, table=item_table, frac=item_frac, unit=item_unit, fact=item_fact, define=item_define,
            check=item_check, count=item_count, long=item_long, exercise=item_exercise, demo=item_demo)
PREFIX = (["Hola, ", "Oye, ", "Por favor, ", "Hola Aula. ", "Una pregunta: ", "Disculpa, ", "Profe, ", "Mañana tengo examen. ", "Estoy en quinto grado. ", "ok, ", "Bueno, "],
          ["Hi, ", "Hey, ", "Please, ", "Hello Aula. ", "A question: ", "Sorry, ", "Teacher, ", "I have a test tomorrow. ", "I am in fifth grade. ", "ok, ", "Well, "],
          ["Oi, ", "Olá, ", "Por favor, ", "Olá Aula. ", "Uma pergunta: ", "Desculpe, ", "Professor, ", "Amanhã tenho prova. ", "Estou no quinto ano. ", "ok, ", "Bom, "])
BEFORE = (
    ["[Mi|Nuestra|La] [mamá|prima|abuela|amiga|vecina|maestra] [me pidió|me dio|me dejó|quiere|necesita|insiste en] esto", "[Estoy|Ando|Sigo] [en casa|en la biblioteca|en el bus|cansado|cansada|con prisa|aburrida] y [tengo una duda|quiero avanzar|necesito ayuda]",
     "[Ya|Todavía|Aún] no [terminé|empecé|hice] [la tarea|el trabajo|la hoja]", "[El|Este] [lunes|martes|viernes|mes] [tengo prueba|hay examen|nos evalúan]", "[Soy|Estoy en] [de sexto|de cuarto|primero|el colegio nuevo]", "[Necesito|Quiero|Me falta] [acabar|entender|revisar] esto [rápido|bien|hoy|ya]",
     "[Sigamos|Continuemos|Otra cosa|Cambio de tema|Nueva pregunta|Ahora esto|Lo siguiente|Aquí va]", "[A ver|Mira|Escucha|Fíjate|Dale|Entonces|Pues]", "[Espero que|Ojalá] [puedas ayudarme|me entiendas|sea fácil]", "[Dice|Pone|Aparece] en [mi libro|la guía|la hoja|la página {k}]", "[Perdón|Disculpa] [la molestia|que moleste|otra vez]"],
    ["[My|Our|The] [mum|cousin|grandma|friend|neighbour|teacher] [gave me|left me|wants|needs|asked for] this", "I am [at home|in the library|on the bus|tired|in a hurry|bored] and [I have a doubt|I want to go on|I need help]", "I [have not finished|have not started|did not do] [the homework|the work|the sheet] yet",
     "[This|Next] [Monday|Tuesday|Friday|month] [I have a quiz|there is an exam|we get tested]", "I am in [sixth grade|fourth grade|a new school]", "I [need|want] to [finish|understand|check] this [fast|well|today|now]", "[Let us go on|Another thing|New topic|New question|Now this|Next one|Here it goes]", "[Look|Listen|So|Then|Right|Now]",
     "I hope [you can help me|you understand me|it is easy]", "It says in [my book|the guide|the sheet|page {k}]", "[Sorry|Excuse me] [to bother you|again|for this]"],
    ["[Minha|Nossa|A] [mãe|prima|avó|amiga|vizinha|mestra] [me pediu|me deu|me deixou|quer|precisa de] isto", "[Estou|Continuo] [em casa|na biblioteca|no ônibus|cansado|cansada|com pressa] e [tenho uma dúvida|quero avançar|preciso de ajuda]", "[Ainda|Já] não [terminei|comecei|fiz] [a tarefa|o trabalho|a folha]",
     "[Na|Nesta] [segunda|terça|sexta] [tenho teste|tem exame|vão nos avaliar]", "[Sou do|Estou no] [sexto|quarto|primeiro] ano", "[Preciso|Quero] [acabar|entender|revisar] isto [rápido|bem|hoje|já]", "[Vamos continuar|Outra coisa|Mudando de assunto|Nova pergunta|Agora isto|O seguinte|Aqui vai]", "[Vejamos|Olhe|Escute|Então|Pois|Bem]",
     "[Espero que|Tomara que] [você possa ajudar|me entenda|seja fácil]", "[Diz|Aparece] [no meu livro|no guia|na folha|na página {k}]", "[Perdão|Desculpe] [o incômodo|de novo|por isto]"],
)
AFTER = (
    ["[es para|lo necesito para] [hoy|mañana|el viernes|la escuela]", "[no lo entiendo|no me acuerdo|no supe hacerlo|me cuesta mucho|estaba distraída]", "[pero|porque] [no estuve en clase|falté ayer|perdí el cuaderno|me confundo|es difícil]", "[eso es todo|nada más|rápido|si puedes|cuando puedas]", "[mi papá|mi amigo|nadie] [tampoco sabe|no me ayuda|pudo]"],
    ["[it is for|I need it for] [today|tomorrow|Friday|school]", "[I can't understand it|I can't remember|I could not do it|it is hard for me]", "[but|because] [I was not in class|I missed school|I lost the notebook|I get confused]", "[that is all|nothing else|quickly|if you can|when you can]", "[my dad|my friend|nobody] [knows it|can help me|could do it]"],
    ["[é para|preciso para] [hoje|amanhã|sexta|a escola]", "[não compreendo|não me lembro|não soube fazer|acho difícil|estava distraída]", "[mas|porque] [não fui à aula|faltei ontem|perdi o caderno|me confundo]", "[é tudo|mais nada|rápido|se puder|quando puder]", "[meu pai|meu amigo|ninguém] [também não sabe|me ajuda|conseguiu]"],
)
SUFFIX = ([" por favor", ", gracias", ". Gracias", " porfa", ", ayúdame", " para mi tarea", ". Es para mañana", " paso a paso"], [" please", ", thanks", ". Thank you", " pls", ", help me", " for my homework", ". It is for tomorrow", " step by step"],
          [" por favor", ", obrigado", ". Obrigada", " pf", ", me ajude", " para minha tarefa", ". É para amanhã", " passo a passo"])
EXTRA = ["The student is 12 years old.", "Grade: 5.", "Subject: mathematics.", "Be brief.", "Use simple words.", "Do not give the answer at once.", "Use the Socratic method.", "Today is Monday.",
         "Topic: fractions.", "El estudiante tiene 12 años.", "Grado: 5.", "Materia: matemáticas.", "Sé breve.", "Usa palabras sencillas.", "No des la respuesta de inmediato.", "Usa el método socrático.", "Hoy es lunes.", "Tema: fracciones.",
         "O estudante tem 12 anos.", "Ano: 5.", "Disciplina: matemática.", "Seja breve.", "Use palavras simples.", "Não dê a resposta de imediato.", "Use o método socrático.", "Hoje é segunda-feira.", "Tema: frações.",
         "You are a helpful tutor.", "Eres un tutor amable.", "Você é um tutor gentil.", "You help students with their homework.", "Ayudas a estudiantes con su tarea.", "Você ajuda estudantes com a tarefa.", "Answer in Markdown.", "Responde en Markdown.", "Responda em Markdown."]


def system_turn(rng, l):
    """(text or None, its language)"""
    r = rng.random()
    sl = l if rng.random() < .7 else rng.randrange(3)
    if r < .6:
        return PROMPTS[sl], sl
    if r < .85:
        parts = re.split(r"(?<=[.!?]) ", PROMPTS[sl])
        first, rest = parts[0], parts[1:]
        rest = [p for p in rest if rng.random() < .7]
        if rng.random() < .3:
            rng.shuffle(rest)
        others = [e for i, e in enumerate(EXTRA) if rng.random() < .06]
        same = [first] if rng.random() < .85 else []
        text = " ".join(same + rest + others)
        if rng.random() < .15:
            text = text.replace(". ", ".\n")
        return (text, sl) if text else (PROMPTS[sl], sl)
    return None, 1


def strip_accents(s):
    keep = "".join(c for c in unicodedata.normalize("NFD", s) if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", keep)


def typo(rng, s):
    spots = [i for i in range(1, len(s) - 2) if s[i - 1:i + 2].isalpha() and s[i - 1].islower()]
    if not spots:
        return s
    i = rng.choice(spots)
    r = rng.random()
    if r < .4:
        return s[:i] + s[i + 1] + s[i] + s[i + 2:]
    if r < .7:
        return s[:i] + s[i + 1:]
    return s[:i] + s[i] + s[i:]


def noise(rng, s, l, filler=False):
    """The way students type."""
    if filler and rng.random() < .3:
        r = rng.random()
        if r < .55:
            s = pick(rng, rng.choice(BEFORE[l])).replace("{k}", str(rng.randint(1, 99))) + rng.choice([". ", ", ", ": ", " "]) + s
        elif r < .62:
            s = " ".join(invented(rng, l) for _ in range(rng.randint(1, 3))) + rng.choice([" ", ". ", ", ", ": "]) + s
        if r > .45:
            s = s.rstrip("?. ") + rng.choice([", ", ". ", " ", "? "]) + pick(rng, rng.choice(AFTER[l]))
    if rng.random() < .12:
        s = rng.choice(PREFIX[l]) + (s if rng.random() < .5 or len(s) < 2 else s[0].lower() + s[1:])
    if rng.random() < .12:
        s = s.rstrip("?. ") + rng.choice(SUFFIX[l]) + ("?" if s.endswith("?") and rng.random() < .5 else "")
    if rng.random() < .5:
        s = s.replace("¿", "").replace("¡", "")
    if rng.random() < .35:
        s = s.rstrip("?")
    if rng.random() < .35 and "$" not in s:
        s = s.lower()
    elif rng.random() < .03 and "$" not in s:
        s = s.upper()
    if l != 1 and rng.random() < .3:
        s = strip_accents(s)
    if rng.random() < .12 and "$" not in s:
        s = typo(rng, s)
        if rng.random() < .2:
            s = typo(rng, s)
    if rng.random() < .03:
        s = s.replace("?", "??") if "?" in s else s + rng.choice([" ...", ".", " :)", "  "])
    return s.strip() or "?"


def make_item(rng, l, split, kind, neutral=False):
    item = item_op(rng, l, split, kind, neutral) if kind in SIGN else MAKE[kind](rng, l, split)
    item["kind"] = kind
    return item


def few_words(user):
    return len([w for w in re.findall(r"[^\W\d_]{2,}", user) if w not in ("frac", "Python")]) <= 2


def dialogue(rng):
    """(system text or None, [(student, tutor), ...]) for training."""
    l = rng.randrange(3)
    system, ctx = system_turn(rng, l)
    if system is None and rng.random() < .1:
        ctx = 1
    turns, state, seen = [], {}, False
    for _ in range(rng.choices([1, 2, 3, 4, 5], [42, 27, 17, 9, 5])[0]):
        item = None
        if seen and rng.random() < .06:
            l = rng.randrange(3)
        if state and l == ctx and rng.random() < .65:
            item = follow_up(rng, l, "train", state)
        if item is None:
            kind = rng.choices(list(WEIGHT), list(WEIGHT.values()))[0]
            neutral = kind in SIGN and (l == ctx) and rng.random() < .12
            item = make_item(rng, l, "train", kind, neutral)
            if l != ctx and few_words(item["user"]):
                continue  # too short to say its language
        turns.append((noise(rng, item["user"], l, "kind" in item and item["kind"] not in ("word", "long", "count")), item["answer"]))
        state = item["state"]
        seen, ctx = True, l
    if not turns:
        return dialogue(rng)
    return system, turns


def test_prompts(kind, l, count, seed, split="test"):
    """Prompts that training never showed: split 'test' has held-out templates (and numbers), 'numbers' training templates with held-out numbers."""
    rng = random.Random(f"{seed}/{split}/{kind}/{l}")
    out, known = [], set()
    tries = 0
    while len(out) < count:
        tries += 1
        system = PROMPTS[l] if rng.random() < .8 else rng.choice(PROMPTS)
        if kind == "followup":
            first = make_item(rng, l, "train", rng.choices(["add", "sub", "mul", "div", "check", "frac", "define", "exercise", "table", "demo"], [3, 3, 4, 3, 3, 2, 2, 2, 1, 1])[0])
            item = follow_up(rng, l, split, first["state"])
            if item is None:
                continue
            history = [(first["user"], first["answer"])]
            item["key"] = item["answer"]
        else:
            item, history = make_item(rng, l, split, kind), []
        user = item["user"]
        plain = re.sub(r"[\d\s]", "", user)
        if kind in SIGN and (not plain or plain in "+-−–x×*·X/÷:=?" or plain.rstrip("=?") in "+-−–x×*·X/÷:"):
            continue
        if few_words(user):
            system = PROMPTS[l]
        if rng.random() < .5:
            user = noise(rng, user, l)
        mark = (user, str(history))
        if mark in known and tries < count * 30:
            continue
        known.add(mark)
        out.append(dict(kind=kind, lang=LANGS[l], system=system, history=history, user=user, key=item["key"], answer=item["answer"]))
    return out


def render(system, turns, last=None):
    """The exact text that the model reads; with `last`, the prompt for the answer to it."""
    text = "<bos>" + (f"<|turn>system\n{system.strip()}<turn|>\n" if system else "")
    for user, model in turns:
        text += f"<|turn>user\n{user.strip()}<turn|>\n<|turn>model\n{model.strip()}<turn|>\n"
    if last is not None:
        text += f"<|turn>user\n{last.strip()}<turn|>\n<|turn>model\n"
    return text


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--count", type=int, default=0)
    p.add_argument("--test", type=int, default=0)
    p.add_argument("--kind")
    a = p.parse_args()
    rng = random.Random(a.seed)
    for _ in range(a.count):
        print(render(*dialogue(rng)), "\n" + "=" * 60)
    if a.test:
        for kind in [a.kind] if a.kind else KINDS:
            for l in range(3):
                for t in test_prompts(kind, l, a.test, a.seed):
                    print(json.dumps({k: t[k] for k in ("kind", "lang", "history", "user", "answer")}, ensure_ascii=False))


if __name__ == "__main__":
    main()
