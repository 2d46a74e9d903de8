//! The words on paper that no model wrote.

use tutor::Language;

/// Words of one language.
#[derive(Debug)]
pub(crate) struct Words {
    /// For readers of the file.
    pub code: &'static str,
    pub name: &'static str,
    pub date: &'static str,
    pub mark: &'static str,
    pub teacher: &'static str,
    pub answer: &'static str,
    pub explanation: &'static str,
    pub hint: &'static str,
    pub steps: &'static str,
    pub answers: &'static str,
    pub points: &'static str,
    pub point: &'static str,
    pub total: &'static str,
    pub front: &'static str,
    pub back: &'static str,
}

impl Words {
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::Es => &ES,
            Language::En => &EN,
            Language::Pt => &PT,
        }
    }

    /// `Grade 7`, as the language says it.
    pub(crate) fn grade(&self, grade: u8) -> String {
        match self.code {
            "es" => format!("Grado {grade}"),
            "pt" => format!("{grade}.º ano"),
            _ => format!("Grade {grade}"),
        }
    }

    /// `2 points`.
    pub(crate) fn points_of(&self, points: u32) -> String {
        format!("{points} {}", if points == 1 { self.point } else { self.points })
    }
}

const ES: Words = Words {
    code: "es",
    name: "Nombre",
    date: "Fecha",
    mark: "Nota",
    teacher: "Para quien enseña",
    answer: "Respuesta",
    explanation: "Explicación",
    hint: "Pista",
    steps: "Pasos",
    answers: "Respuestas",
    points: "puntos",
    point: "punto",
    total: "Total",
    front: "Pregunta",
    back: "Respuesta",
};

const EN: Words = Words {
    code: "en",
    name: "Name",
    date: "Date",
    mark: "Mark",
    teacher: "For whoever teaches",
    answer: "Answer",
    explanation: "Explanation",
    hint: "Hint",
    steps: "Steps",
    answers: "Answers",
    points: "points",
    point: "point",
    total: "Total",
    front: "Question",
    back: "Answer",
};

const PT: Words = Words {
    code: "pt",
    name: "Nome",
    date: "Data",
    mark: "Nota",
    teacher: "Para quem ensina",
    answer: "Resposta",
    explanation: "Explicação",
    hint: "Dica",
    steps: "Passos",
    answers: "Respostas",
    points: "pontos",
    point: "ponto",
    total: "Total",
    front: "Pergunta",
    back: "Resposta",
};

/// The names of four answers.
pub(crate) const LETTERS: [&str; 4] = ["A", "B", "C", "D"];
/// Points of a question with four answers.
pub(crate) const CHOICE_POINTS: u32 = 1;
/// Points of a question that is answered in writing.
pub(crate) const OPEN_POINTS: u32 = 2;
