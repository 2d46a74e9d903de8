"""Mind maps of what the demo model knows, written for this project. One line for each branch: label: leaf, leaf > twig; …

Order of the languages in every tuple: Spanish, English, Portuguese. The keys are the first names in facts.TOPICS, or a word of ours.
"""

TREES = {
    "la fotosíntesis": (
        ("La fotosíntesis", "Qué necesita: luz del Sol, agua, dióxido de carbono", "Qué forma: azúcar > alimento de la planta, oxígeno", "Dónde ocurre: hojas > clorofila, tallos verdes"),
        ("Photosynthesis", "What it needs: sunlight, water, carbon dioxide", "What it makes: sugar > food of the plant, oxygen", "Where it happens: leaves > chlorophyll, green stems"),
        ("A fotossíntese", "Do que precisa: luz do Sol, água, dióxido de carbono", "O que forma: açúcar > alimento da planta, oxigênio", "Onde ocorre: folhas > clorofila, caules verdes")),
    "la célula": (
        ("La célula", "Membrana: rodea la célula, deja pasar sustancias", "Citoplasma: llena la célula, contiene sus partes", "Material genético: dirige la célula, está en el núcleo > animales y plantas"),
        ("The cell", "Membrane: surrounds the cell, lets substances pass", "Cytoplasm: fills the cell, holds its parts", "Genetic material: directs the cell, lies in the nucleus > animals and plants"),
        ("A célula", "Membrana: envolve a célula, deixa passar substâncias", "Citoplasma: preenche a célula, contém suas partes", "Material genético: dirige a célula, fica no núcleo > animais e plantas")),
    "el átomo": (
        ("El átomo", "Núcleo: protones > carga positiva, neutrones > sin carga", "Alrededor: electrones > carga negativa", "Qué es: la parte más pequeña de un elemento"),
        ("The atom", "Nucleus: protons > positive charge, neutrons > no charge", "Around it: electrons > negative charge", "What it is: the smallest part of an element"),
        ("O átomo", "Núcleo: prótons > carga positiva, nêutrons > sem carga", "Ao redor: elétrons > carga negativa", "O que é: a menor parte de um elemento")),
    "la gravedad": (
        ("La gravedad", "Qué es: una fuerza, atrae las cosas entre sí", "En la Tierra: atrae hacia el centro, las cosas caen", "En el espacio: la Luna gira, los planetas giran"),
        ("Gravity", "What it is: a force, pulls things together", "On Earth: pulls to the centre, things fall", "In space: the Moon goes round, the planets go round"),
        ("A gravidade", "O que é: uma força, atrai as coisas entre si", "Na Terra: atrai para o centro, as coisas caem", "No espaço: a Lua gira, os planetas giram")),
    "la energía": (
        ("La energía", "Formas: luz, calor, movimiento, alimentos", "Qué hace: produce cambios, produce movimiento", "Ley: no se crea, no se pierde, se transforma"),
        ("Energy", "Forms: light, heat, movement, food", "What it does: causes change, causes movement", "Law: it is not created, it is not lost, it changes form"),
        ("A energia", "Formas: luz, calor, movimento, alimentos", "O que faz: produz mudanças, produz movimento", "Lei: não se cria, não se perde, se transforma")),
    "el sustantivo": (
        ("El sustantivo", "Nombra: personas > Ana, animales > gato, lugares > Lima, cosas > casa", "Tipos: propio > Lima, común > casa"),
        ("The noun", "It names: people > Ana, animals > cat, places > Lima, things > house", "Kinds: proper > Lima, common > house"),
        ("O substantivo", "Dá nome a: pessoas > Ana, animais > gato, lugares > Lima, coisas > casa", "Tipos: próprio > Lima, comum > casa")),
    "el verbo": (
        ("El verbo", "Dice: una acción > correr, un estado > ser", "Tiempos: pasado > leí, presente > leo, futuro > leeré"),
        ("The verb", "It says: an action > run, a state > be", "Tenses: past > I walked, present > I walk, future > I will walk"),
        ("O verbo", "Diz: uma ação > correr, um estado > ser", "Tempos: passado > li, presente > leio, futuro > lerei")),
    "el adjetivo": (
        ("El adjetivo", "Dice cómo es algo: tamaño > alto, color > rojo, ánimo > feliz", "Acompaña: a un sustantivo > la casa roja"),
        ("The adjective", "It says what something is like: size > tall, colour > red, mood > happy", "It goes with: a noun > the red house"),
        ("O adjetivo", "Diz como algo é: tamanho > alto, cor > vermelho, humor > feliz", "Acompanha: um substantivo > a casa vermelha")),
    "un ecosistema": (
        ("El ecosistema", "Seres vivos: plantas, animales, bacterias", "Lo que los rodea: agua, luz, aire, suelo", "Ejemplos: bosque, mar, desierto"),
        ("The ecosystem", "Living things: plants, animals, bacteria", "What surrounds them: water, light, air, soil", "Examples: forest, sea, desert"),
        ("O ecossistema", "Seres vivos: plantas, animais, bactérias", "O que os rodeia: água, luz, ar, solo", "Exemplos: floresta, mar, deserto")),
    "la cadena alimentaria": (
        ("La cadena alimentaria", "Productores: plantas > hierba", "Consumidores: saltamontes > come hierba, rana > come saltamontes, serpiente > come ranas"),
        ("The food chain", "Producers: plants > grass", "Consumers: grasshopper > eats grass, frog > eats grasshoppers, snake > eats frogs"),
        ("A cadeia alimentar", "Produtores: plantas > capim", "Consumidores: gafanhoto > come capim, sapo > come gafanhotos, cobra > come sapos")),
    "los estados de la materia": (
        ("Los estados de la materia", "Sólido: forma fija, hielo", "Líquido: toma la forma del vaso, agua", "Gas: llena todo el espacio, vapor", "Cambios: fusión > de sólido a líquido, evaporación > de líquido a gas"),
        ("The states of matter", "Solid: fixed shape, ice", "Liquid: takes the shape of the glass, water", "Gas: fills all the space, steam", "Changes: melting > from solid to liquid, evaporation > from liquid to gas"),
        ("Os estados da matéria", "Sólido: forma fixa, gelo", "Líquido: toma a forma do copo, água", "Gás: enche todo o espaço, vapor", "Mudanças: fusão > de sólido a líquido, evaporação > de líquido a gás")),
    "el sistema solar": (
        ("El sistema solar", "El Sol: una estrella, da luz y calor", "Planetas cercanos: Mercurio, Venus, Tierra > la Luna, Marte", "Planetas lejanos: Júpiter > el más grande, Saturno > anillos, Urano, Neptuno"),
        ("The solar system", "The Sun: a star, gives light and heat", "Near planets: Mercury, Venus, Earth > the Moon, Mars", "Far planets: Jupiter > the largest, Saturn > rings, Uranus, Neptune"),
        ("O sistema solar", "O Sol: uma estrela, dá luz e calor", "Planetas próximos: Mercúrio, Vênus, Terra > a Lua, Marte", "Planetas distantes: Júpiter > o maior, Saturno > anéis, Urano, Netuno")),
    "un volcán": (
        ("El volcán", "Dentro: magma > roca fundida", "Fuera: lava, cenizas, gases", "Partes: cráter, chimenea"),
        ("The volcano", "Inside: magma > melted rock", "Outside: lava, ash, gases", "Parts: crater, vent"),
        ("O vulcão", "Dentro: magma > rocha derretida", "Fora: lava, cinzas, gases", "Partes: cratera, chaminé")),
    "un terremoto": (
        ("El terremoto", "Qué es: un temblor del suelo", "Causa: las placas se mueven", "Qué hacer: mantener la calma, alejarse de las ventanas"),
        ("The earthquake", "What it is: a shaking of the ground", "Cause: the plates move", "What to do: keep calm, stay away from windows"),
        ("O terremoto", "O que é: um tremor do chão", "Causa: as placas se movem", "O que fazer: manter a calma, ficar longe das janelas")),
    "la democracia": (
        ("La democracia", "Quién decide: el pueblo", "Cómo: voto, elecciones", "Quién gobierna: representantes elegidos"),
        ("Democracy", "Who decides: the people", "How: voting, elections", "Who governs: elected representatives"),
        ("A democracia", "Quem decide: o povo", "Como: voto, eleições", "Quem governa: representantes eleitos")),
    "el perímetro": (
        ("El perímetro", "Qué es: la medida del borde", "Cómo se halla: se suman los lados", "Ejemplos: cuadrado de lado 3 > 3 + 3 + 3 + 3 = 12, rectángulo de 5 y 2 > 5 + 2 + 5 + 2 = 14"),
        ("The perimeter", "What it is: the length of the edge", "How to find it: add the sides", "Examples: square of side 3 > 3 + 3 + 3 + 3 = 12, rectangle of 5 and 2 > 5 + 2 + 5 + 2 = 14"),
        ("O perímetro", "O que é: a medida da borda", "Como se acha: somam-se os lados", "Exemplos: quadrado de lado 3 > 3 + 3 + 3 + 3 = 12, retângulo de 5 e 2 > 5 + 2 + 5 + 2 = 14")),
    "el área": (
        ("El área", "Qué es: lo que cubre una figura", "Rectángulo: base por altura > 5 · 2 = 10", "Cuadrado: lado por lado > 3 · 3 = 9", "Triángulo: base por altura entre 2 > 4 · 3 ÷ 2 = 6"),
        ("The area", "What it is: what a shape covers", "Rectangle: base times height > 5 · 2 = 10", "Square: side times side > 3 · 3 = 9", "Triangle: base times height by 2 > 4 · 3 ÷ 2 = 6"),
        ("A área", "O que é: o que uma figura cobre", "Retângulo: base vezes altura > 5 · 2 = 10", "Quadrado: lado vezes lado > 3 · 3 = 9", "Triângulo: base vezes altura por 2 > 4 · 3 ÷ 2 = 6")),
    "un número primo": (
        ("Los números primos", "Qué son: se dividen entre 1 y entre sí", "Ejemplos: 2 > el único par, 3, 5, 7", "No son primos: 4 > 2 · 2, 6 > 2 · 3, 9 > 3 · 3"),
        ("Prime numbers", "What they are: divided by 1 and themselves", "Examples: 2 > the only even one, 3, 5, 7", "Not prime: 4 > 2 · 2, 6 > 2 · 3, 9 > 3 · 3"),
        ("Os números primos", "O que são: divididos por 1 e por si", "Exemplos: 2 > o único par, 3, 5, 7", "Não são primos: 4 > 2 · 2, 6 > 2 · 3, 9 > 3 · 3")),
    "una fracción": (
        ("Las fracciones", "Partes: numerador > partes que tomas, denominador > partes en total", "Ejemplos: 1/2 > la mitad, 1/4 > un cuarto, 3/4 > tres cuartos", "Operaciones: sumar > 1/4 + 2/4 = 3/4, restar > 3/4 - 2/4 = 1/4, simplificar > 2/4 = 1/2"),
        ("Fractions", "Parts: numerator > parts that you take, denominator > parts in total", "Examples: 1/2 > a half, 1/4 > a quarter, 3/4 > three quarters", "Operations: adding > 1/4 + 2/4 = 3/4, subtracting > 3/4 - 2/4 = 1/4, simplifying > 2/4 = 1/2"),
        ("As frações", "Partes: numerador > partes que você toma, denominador > partes no total", "Exemplos: 1/2 > a metade, 1/4 > um quarto, 3/4 > três quartos", "Operações: somar > 1/4 + 2/4 = 3/4, subtrair > 3/4 - 2/4 = 1/4, simplificar > 2/4 = 1/2")),
    "un porcentaje": (
        ("Los porcentajes", "Qué son: partes de cien", "Ejemplos: 50% > la mitad, 25% > un cuarto, 100% > todo"),
        ("Percentages", "What they are: parts of one hundred", "Examples: 50% > a half, 25% > a quarter, 100% > all"),
        ("As porcentagens", "O que são: partes de cem", "Exemplos: 50% > a metade, 25% > um quarto, 100% > tudo")),
    "un mamífero": (
        ("Los mamíferos", "Cómo son: beben leche de su madre, respiran con pulmones", "En la tierra: perro, gato, ser humano", "En el mar: ballena, delfín"),
        ("Mammals", "What they are like: drink their mother's milk, breathe with lungs", "On land: dog, cat, human being", "In the sea: whale, dolphin"),
        ("Os mamíferos", "Como são: bebem o leite da mãe, respiram com pulmões", "Na terra: cachorro, gato, ser humano", "No mar: baleia, golfinho")),
    "la digestión": (
        ("La digestión", "Boca: dientes > parten la comida, saliva > la ablanda", "Estómago: la mezcla con jugos", "Intestino: el cuerpo toma lo que sirve"),
        ("Digestion", "Mouth: teeth > cut the food, saliva > softens it", "Stomach: mixes it with juices", "Intestine: the body takes what it needs"),
        ("A digestão", "Boca: dentes > cortam a comida, saliva > a amolece", "Estômago: mistura com sucos", "Intestino: o corpo toma o que serve")),
    "el ciclo del agua": (
        ("El ciclo del agua", "Evaporación: el Sol calienta el agua, sube como vapor", "Condensación: el vapor se enfría, forma nubes", "Precipitación: lluvia, nieve, granizo", "Recolección: ríos, mares"),
        ("The water cycle", "Evaporation: the Sun warms the water, it rises as vapour", "Condensation: the vapour cools, it forms clouds", "Precipitation: rain, snow, hail", "Collection: rivers, seas"),
        ("O ciclo da água", "Evaporação: o Sol aquece a água, sobe como vapor", "Condensação: o vapor esfria, forma nuvens", "Precipitação: chuva, neve, granizo", "Coleta: rios, mares")),
    "operations": (
        ("Las cuatro operaciones", "Suma: juntar > 3 + 2 = 5", "Resta: quitar > 5 - 2 = 3", "Multiplicación: sumar grupos iguales > 3 · 2 = 6", "División: repartir > 6 ÷ 2 = 3"),
        ("The four operations", "Addition: putting together > 3 + 2 = 5", "Subtraction: taking away > 5 - 2 = 3", "Multiplication: adding equal groups > 3 · 2 = 6", "Division: sharing > 6 ÷ 2 = 3"),
        ("As quatro operações", "Soma: juntar > 3 + 2 = 5", "Subtração: tirar > 5 - 2 = 3", "Multiplicação: somar grupos iguais > 3 · 2 = 6", "Divisão: repartir > 6 ÷ 2 = 3")),
    "shapes": (
        ("Las figuras", "Polígonos: triángulo > 3 lados, cuadrado > 4 lados iguales, pentágono > 5 lados, hexágono > 6 lados", "Curvas: círculo, elipse", "Cuerpos: cubo > 6 caras, esfera"),
        ("Shapes", "Polygons: triangle > 3 sides, square > 4 equal sides, pentagon > 5 sides, hexagon > 6 sides", "Curved: circle, ellipse", "Solids: cube > 6 faces, sphere"),
        ("As figuras", "Polígonos: triângulo > 3 lados, quadrado > 4 lados iguais, pentágono > 5 lados, hexágono > 6 lados", "Curvas: círculo, elipse", "Sólidos: cubo > 6 faces, esfera")),
    "units": (
        ("Las unidades de medida", "Longitud: kilómetro > 1000 metros, metro > 100 centímetros, centímetro > 10 milímetros", "Masa: kilo > 1000 gramos", "Capacidad: litro > 1000 mililitros", "Tiempo: hora > 60 minutos, minuto > 60 segundos"),
        ("Units of measure", "Length: kilometre > 1000 metres, metre > 100 centimetres, centimetre > 10 millimetres", "Mass: kilogram > 1000 grams", "Capacity: litre > 1000 millilitres", "Time: hour > 60 minutes, minute > 60 seconds"),
        ("As unidades de medida", "Comprimento: quilômetro > 1000 metros, metro > 100 centímetros, centímetro > 10 milímetros", "Massa: quilo > 1000 gramas", "Capacidade: litro > 1000 mililitros", "Tempo: hora > 60 minutos, minuto > 60 segundos")),
    "demo": (
        ("Solo la demo", "Ese tema: no lo conozco", "Lo que sé: cuentas, tablas, fracciones, datos de la escuela", "Para saber más: instala el tutor en Ajustes"),
        ("Only the demo", "That topic: I do not know it", "What I know: sums, times tables, fractions, school facts", "To know more: install the tutor in Settings"),
        ("Só a demo", "Esse tema: não o conheço", "O que sei: contas, tabuadas, frações, fatos da escola", "Para saber mais: instale o tutor completo")),
}


def tree(lines):
    """The tree of a tuple of lines, in the form of the tool's result."""
    def leaf(text):
        label, _, twig = text.partition(" > ")
        return {"label": label, "children": [{"label": twig}] if twig else []}

    root = {"label": lines[0], "children": []}
    for line in lines[1:]:
        label, _, rest = line.partition(": ")
        root["children"].append({"label": label, "children": [leaf(t) for t in rest.split(", ")]})
    return root


def check():
    for name, languages in TREES.items():
        for lines in languages:
            root = tree(lines)
            assert 2 <= len(root["children"]) <= 6, name
            labels = [root["label"]] + [b["label"] for b in root["children"]] + [x["label"] for b in root["children"] for x in b["children"]]
            labels += [w["label"] for b in root["children"] for x in b["children"] for w in x["children"]]
            assert all(0 < len(l) <= 40 for l in labels), [l for l in labels if len(l) > 40]
            assert all(len(b["children"]) <= 4 for b in root["children"]), name


check()
