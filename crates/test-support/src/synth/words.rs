//! Word parts from which the synthetic vocabulary is grown, so that ordinary text meets tokens of ordinary length.

/// Common words of the three languages, commonest first.
pub(super) const WORDS: &str = "the de and la que to of el in en a o is y e do da os as los las un uno una um uma for \
with that this on it you are was be not como para por con com se lo le su es son está más mas pero but or if what how \
why when where which who no não sí sim yes si al ao del dos das nos me te mi meu my your our their his her it's from \
by at have has had can could would will one two three four five six seven eight nine ten dois três quatro cinco seis \
sete oito nove dez dos tres cuatro seis siete ocho nueve diez hola hello olá buenos good bom boa day día dia noche \
night noite tutor student estudiante estudante answer respuesta resposta question pregunta pergunta number número \
fraction fracción fração sum suma soma table tabla tabela half mitad metade water agua água sun sol moon luna lua \
earth tierra terra plant planta animal energy energía energia light luz history historia história capital country \
país city ciudad cidade river río rio Brown fox jumps over lazy dog quick lighthouse keeper counted ships World world \
think pensar first primero primeiro step paso passo example ejemplo exemplo because porque then luego então also \
también também equals igual equation ecuación equação triangle triángulo triângulo square cuadrado quadrado circle \
círculo area área perimeter perímetro multiply multiplicar divide dividir add sumar somar subtract restar subtrair";

/// Beginnings of longer words.
pub(super) const STEMS: &str = "habl com viv estud aprend ense trabaj pens escrib le cant jug cre pregunt respond mult \
divid sum rest calcul med cont compar explic mostr busc encontr camin corr salt nad duerm despiert llor r sonr mir \
escuch toc prob us pint dibuj constru romp abr cerr empez termin cambi mejor ayud dese quer pod deb sab conoc record \
olvid part lleg sal entr sub baj mov par gir lanz recog guard compr vend pag gan perd apost particip organiz realiz \
observ analiz describ defin clasific identific relacion represent resolv demostr comprob simplific transform form \
inform conform reform govern nation region celebr educ public polit econom histor geograf biolog quimic fisic matemat \
liter music art deport salud famil comun person socie natur animal veget miner planet estrell galax univers atom molec \
cel tejid organ sistem aparat corazon cerebr pulmon sangr hues muscul piel ojo oid nariz boc man pie cabez brazo piern \
work play learn teach think writ read count measur compar explain show search find walk runn jump swim sleep listen \
touch draw build break open clos start finish chang improv help want know remember forget leav arriv enter mov stop \
turn throw keep buy sell pay winn los organiz observ describ classif identif represent solv prov simplif develop \
environ govern depart manage invest state move treat agree announce require measure equip employ enjoy pay judge";

/// Endings.
pub(super) const SUFFIXES: &str = "o a os as e es ar er ir ado ada ados adas ido ida ando iendo aba ía ará erá irá aré \
amos emos imos áis aron ieron ó ió ción ciones sión ável ible able mente dad dade ismo ista istas oso osa ito ita \
illo ção ções ndo va ria ram ou eu iu ed ing s er ers est ly ness ment ments ful less tion tions al ally ive ity ous \
ism ist ists ship ward wise ize izes ized izing ization or ors ance ence ant ent ary ory ure age dom hood";

/// Letters of other alphabets and scripts, as first and last code point, taken in this order for single characters.
pub(super) const SCRIPTS: &[(u32, u32)] = &[
    (0x00a1, 0x024f),
    (0x0370, 0x0373),
    (0x0386, 0x0386),
    (0x0388, 0x038a),
    (0x038e, 0x03a1),
    (0x03a3, 0x0481),
    (0x048a, 0x052f),
    (0x05d0, 0x05ea),
    (0x0620, 0x064a),
    (0x0905, 0x0939),
    (0x2010, 0x2027),
    (0x2190, 0x21ff),
    (0x2200, 0x22ff),
    (0x3041, 0x3096),
    (0x30a1, 0x30fa),
    (0x4e00, 0x7fff),
    (0xac00, 0xd7a3),
    (0x1f600, 0x1f64f),
];
