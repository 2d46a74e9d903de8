//! A safe part of LaTeX: what school mathematics needs. Whatever else a formula holds, it is no formula but text.

/// A formula, as a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Math {
    /// One after the other.
    Row(Vec<Math>),
    /// A variable or a sign.
    Symbol(char),
    /// Figures, or words within the formula.
    Words(String),
    /// The name of a function, e.g. `sin`.
    Name(String),
    /// A space of so many thousandths of an em.
    Space(u16),
    /// One above the other with a line between.
    Fraction(Box<[Math; 2]>),
    /// A root, with its index where it has one.
    Root {
        /// What stands below the sign.
        of: Box<Math>,
        /// What stands before it.
        index: Option<Box<Math>>,
    },
    /// Something with small things at its upper and lower right.
    Scripts {
        /// The thing itself.
        base: Box<Math>,
        /// At its upper right.
        upper: Option<Box<Math>>,
        /// At its lower right.
        lower: Option<Box<Math>>,
    },
    /// Brackets that grow with what stands between them.
    Fenced(Option<char>, Box<Math>, Option<char>),
    /// A line above.
    Overline(Box<Math>),
}

/// Deepest nesting.
const DEEPEST: usize = 12;

impl Math {
    /// The formula that `source` means; none where it holds something unknown.
    pub(crate) fn read(source: &str) -> Option<Self> {
        let mut reader = Reader { chars: source.chars().collect(), at: 0 };
        let row = reader.row(0, &|reader| reader.peek().is_none())?;
        (row != Self::Row(Vec::new())).then_some(row)
    }

    /// Whether it is higher than a line of text.
    pub(crate) fn is_high(&self) -> bool {
        match self {
            Self::Fraction(_) => true,
            Self::Row(parts) => parts.iter().any(Self::is_high),
            Self::Root { of, .. } | Self::Overline(of) | Self::Fenced(_, of, _) => of.is_high(),
            Self::Scripts { base, .. } => base.is_high(),
            Self::Symbol(_) | Self::Words(_) | Self::Name(_) | Self::Space(_) => false,
        }
    }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(' ') {
            self.at += 1;
        }
    }

    /// Whether `text` comes next.
    fn sees(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(idx, c)| self.chars.get(self.at + idx) == Some(&c))
    }

    /// Everything up to where `ends` says so.
    fn row(&mut self, depth: usize, ends: &dyn Fn(&Self) -> bool) -> Option<Math> {
        if depth > DEEPEST {
            return None;
        }
        let mut parts: Vec<Math> = Vec::new();
        loop {
            self.skip_spaces();
            if ends(self) {
                return Some(if parts.len() == 1 { parts.remove(0) } else { Math::Row(parts) });
            }
            match self.peek()? {
                '^' | '_' | '\'' => {
                    let base = parts.pop().unwrap_or(Math::Row(Vec::new()));
                    parts.push(self.scripts(base, depth)?);
                }
                _ => parts.push(self.one(depth)?),
            }
        }
    }

    fn scripts(&mut self, base: Math, depth: usize) -> Option<Math> {
        let (mut upper, mut lower) = (None, None);
        loop {
            self.skip_spaces();
            let place = match self.peek() {
                Some('^') => &mut upper,
                Some('_') => &mut lower,
                Some('\'') if upper.is_none() => {
                    self.at += 1;
                    upper = Some(Box::new(Math::Symbol('′')));
                    continue;
                }
                _ => break,
            };
            if place.is_some() {
                return None;
            }
            self.at += 1;
            self.skip_spaces();
            *place = Some(Box::new(self.one(depth + 1)?));
        }
        // Degrees are raised already.
        if upper.as_deref() == Some(&Math::Symbol('∘')) && lower.is_none() {
            return Some(Math::Row(vec![base, Math::Words("°".to_owned())]));
        }
        Some(Math::Scripts { base: Box::new(base), upper, lower })
    }

    /// One thing: a group, a command, a number, a sign.
    fn one(&mut self, depth: usize) -> Option<Math> {
        match self.next()? {
            '{' => {
                let group = self.row(depth + 1, &|reader| reader.peek() == Some('}'))?;
                self.at += 1;
                Some(group)
            }
            '\\' => self.command(depth),
            c if c.is_ascii_digit() => Some(Math::Words(self.number(c))),
            c => sign(c).map(Math::Symbol),
        }
    }

    /// A number with its decimals; `3.` at the end of a sentence is 3.
    fn number(&mut self, first: char) -> String {
        let mut number = String::from(first);
        while let Some(c) = self.peek() {
            let decimal = matches!(c, '.' | ',') && self.chars.get(self.at + 1).is_some_and(char::is_ascii_digit);
            if !c.is_ascii_digit() && !decimal {
                break;
            }
            number.push(c);
            self.at += 1;
        }
        number
    }

    fn command(&mut self, depth: usize) -> Option<Math> {
        let first = self.next()?;
        if !first.is_ascii_alphabetic() {
            return match first {
                ',' => Some(Math::Space(167)),
                ':' => Some(Math::Space(222)),
                ';' => Some(Math::Space(278)),
                ' ' => Some(Math::Space(250)),
                '!' => Some(Math::Space(0)),
                '%' | '$' | '#' | '&' | '_' => Some(Math::Words(first.to_string())),
                '{' | '}' => Some(Math::Symbol(first)),
                '|' => Some(Math::Symbol('‖')),
                _ => None,
            };
        }
        let mut name = String::from(first);
        while let Some(c) = self.peek().filter(char::is_ascii_alphabetic) {
            name.push(c);
            self.at += 1;
        }
        match name.as_str() {
            "frac" | "dfrac" | "tfrac" => {
                let upper = self.argument(depth)?;
                Some(Math::Fraction(Box::new([upper, self.argument(depth)?])))
            }
            "sqrt" => {
                self.skip_spaces();
                let index = if self.peek() == Some('[') {
                    self.at += 1;
                    let index = self.row(depth + 1, &|reader| reader.peek() == Some(']'))?;
                    self.at += 1;
                    Some(Box::new(index))
                } else {
                    None
                };
                Some(Math::Root { of: Box::new(self.argument(depth)?), index })
            }
            "overline" | "bar" => Some(Math::Overline(Box::new(self.argument(depth)?))),
            "text" | "mathrm" | "textrm" | "operatorname" | "mbox" => self.words(),
            "mathbb" => self.number_set(),
            "left" => self.fenced(depth),
            "quad" => Some(Math::Space(1000)),
            "qquad" => Some(Math::Space(2000)),
            "displaystyle" | "limits" => Some(Math::Space(0)),
            _ if NAMES.contains(&name.as_str()) => Some(Math::Name(name)),
            _ => SIGNS.iter().find(|(known, _)| *known == name).map(|(_, c)| Math::Symbol(*c)),
        }
    }

    fn argument(&mut self, depth: usize) -> Option<Math> {
        self.skip_spaces();
        if matches!(self.peek()?, '^' | '_' | '}') { None } else { self.one(depth + 1) }
    }

    /// Words in braces, as they are.
    fn words(&mut self) -> Option<Math> {
        self.skip_spaces();
        if self.next()? != '{' {
            return None;
        }
        let mut words = String::new();
        loop {
            match self.next()? {
                '}' => return (!words.is_empty()).then_some(Math::Words(words)),
                '{' | '\\' | '$' => return None,
                c => words.push(c),
            }
        }
    }

    fn number_set(&mut self) -> Option<Math> {
        let Math::Words(letter) = self.words()? else { return None };
        let sets = [("R", 'ℝ'), ("N", 'ℕ'), ("Z", 'ℤ'), ("Q", 'ℚ'), ("C", 'ℂ')];
        sets.iter().find(|(name, _)| *name == letter).map(|(_, c)| Math::Symbol(*c))
    }

    /// From after `\left` to the bracket after `\right`.
    fn fenced(&mut self, depth: usize) -> Option<Math> {
        let open = self.fence()?;
        let inner = self.row(depth + 1, &|reader| reader.sees("\\right"))?;
        self.at += "\\right".len();
        Some(Math::Fenced(open, Box::new(inner), self.fence()?))
    }

    /// A bracket; `.` is none.
    fn fence(&mut self) -> Option<Option<char>> {
        self.skip_spaces();
        match self.next()? {
            '.' => Some(None),
            c @ ('(' | ')' | '[' | ']' | '|' | '/') => Some(Some(c)),
            '\\' => match self.next()? {
                c @ ('{' | '}') => Some(Some(c)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A character that means itself in a formula.
fn sign(c: char) -> Option<char> {
    match c {
        '-' => Some('−'),
        '*' => Some('∗'),
        'a'..='z'
        | 'A'..='Z'
        | '+'
        | '='
        | '<'
        | '>'
        | '('
        | ')'
        | '['
        | ']'
        | '/'
        | '|'
        | '!'
        | ','
        | ';'
        | ':'
        | '.'
        | '?'
        | '%'
        | '°'
        | '×'
        | '÷'
        | '·'
        | '−'
        | '±'
        | '≤'
        | '≥'
        | '≠'
        | '≈'
        | '√'
        | '→'
        | '⇒'
        | '∞'
        | '…'
        | '′'
        | '∈'
        | '∪'
        | '∩'
        | '∅'
        | '∠'
        | '△'
        | '²'
        | '³'
        | '½'
        | '¼'
        | '¾' => Some(c),
        'α'..='ω' | 'Α'..='Ω' | 'á' | 'é' | 'í' | 'ó' | 'ú' | 'ñ' => Some(c),
        _ => None,
    }
}

/// Functions that are set upright.
const NAMES: &[&str] = &[
    "sin", "cos", "tan", "cot", "sec", "csc", "sen", "tg", "arcsin", "arccos", "arctan", "log", "ln", "exp", "lim",
    "max", "min", "gcd", "lcm", "mcd", "mcm", "mdc", "mmc", "det", "mod",
];

/// Commands for one sign.
const SIGNS: &[(&str, char)] = &[
    ("times", '×'),
    ("cdot", '⋅'),
    ("div", '÷'),
    ("pm", '±'),
    ("mp", '∓'),
    ("ast", '∗'),
    ("circ", '∘'),
    ("degree", '°'),
    ("le", '≤'),
    ("leq", '≤'),
    ("ge", '≥'),
    ("geq", '≥'),
    ("ne", '≠'),
    ("neq", '≠'),
    ("lt", '<'),
    ("gt", '>'),
    ("approx", '≈'),
    ("equiv", '≡'),
    ("sim", '∼'),
    ("cong", '≅'),
    ("propto", '∝'),
    ("infty", '∞'),
    ("to", '→'),
    ("rightarrow", '→'),
    ("longrightarrow", '→'),
    ("leftarrow", '←'),
    ("leftrightarrow", '↔'),
    ("rightleftharpoons", '⇌'),
    ("Rightarrow", '⇒'),
    ("implies", '⇒'),
    ("Leftrightarrow", '⇔'),
    ("iff", '⇔'),
    ("in", '∈'),
    ("notin", '∉'),
    ("subset", '⊂'),
    ("subseteq", '⊆'),
    ("cup", '∪'),
    ("cap", '∩'),
    ("emptyset", '∅'),
    ("varnothing", '∅'),
    ("forall", '∀'),
    ("exists", '∃'),
    ("angle", '∠'),
    ("triangle", '△'),
    ("parallel", '∥'),
    ("perp", '⊥'),
    ("mid", '∣'),
    ("vert", '|'),
    ("lbrace", '{'),
    ("rbrace", '}'),
    ("sum", '∑'),
    ("prod", '∏'),
    ("int", '∫'),
    ("partial", '∂'),
    ("nabla", '∇'),
    ("ldots", '…'),
    ("dots", '…'),
    ("cdots", '⋯'),
    ("prime", '′'),
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("epsilon", 'ϵ'),
    ("varepsilon", 'ε'),
    ("zeta", 'ζ'),
    ("eta", 'η'),
    ("theta", 'θ'),
    ("iota", 'ι'),
    ("kappa", 'κ'),
    ("lambda", 'λ'),
    ("mu", 'μ'),
    ("nu", 'ν'),
    ("xi", 'ξ'),
    ("pi", 'π'),
    ("rho", 'ρ'),
    ("sigma", 'σ'),
    ("tau", 'τ'),
    ("phi", 'ϕ'),
    ("varphi", 'φ'),
    ("chi", 'χ'),
    ("psi", 'ψ'),
    ("omega", 'ω'),
    ("Gamma", 'Γ'),
    ("Delta", 'Δ'),
    ("Theta", 'Θ'),
    ("Lambda", 'Λ'),
    ("Pi", 'Π'),
    ("Sigma", 'Σ'),
    ("Phi", 'Φ'),
    ("Psi", 'Ψ'),
    ("Omega", 'Ω'),
];
