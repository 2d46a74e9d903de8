//! What the terminal tutor says, in three languages.

use crate::args::Lang;

/// One language's sentences. `{}` stands for what is filled in.
#[derive(Debug, PartialEq, Eq)]
pub struct Texts {
    /// Under the badge, at the beginning.
    pub welcome: &'static str,
    /// Before the student's line.
    pub prompt: &'static str,
    /// While the model is opened.
    pub loading: &'static str,
    /// After an answer that the student stopped.
    pub stopped: &'static str,
    /// After an answer that the reply cap cut.
    pub cut: &'static str,
    /// After an answer that the context length cut.
    pub context_full: &'static str,
    /// After an answer that a failure ended.
    pub interrupted: &'static str,
    /// After Ctrl-C at the prompt.
    pub again_to_quit: &'static str,
    /// After a new conversation was begun.
    pub new_conversation: &'static str,
    /// At the end.
    pub goodbye: &'static str,
    /// What the demo model is.
    pub demo: &'static str,
}

const ES: Texts = Texts {
    welcome: "Escribe tu pregunta. /nuevo empieza otra conversación, /salir termina. Ctrl-C detiene una respuesta.",
    prompt: "Tú: ",
    loading: "Abriendo el modelo…",
    stopped: "[respuesta detenida]",
    cut: "[la respuesta llegó a su límite de longitud]",
    context_full: "[la conversación está llena: escribe /nuevo para empezar otra]",
    interrupted: "[la respuesta se interrumpió; lo escrito se conserva]",
    again_to_quit: "Pulsa Ctrl-C otra vez o escribe /salir para terminar.",
    new_conversation: "Conversación nueva.",
    goodbye: "Hasta pronto.",
    demo: "Modelo de demostración: muestra cómo funciona Aula, pero sabe muy poco.",
};

const EN: Texts = Texts {
    welcome: "Type your question. /new begins another conversation, /exit ends. Ctrl-C stops an answer.",
    prompt: "You: ",
    loading: "Opening the model…",
    stopped: "[answer stopped]",
    cut: "[the answer reached its length limit]",
    context_full: "[the conversation is full: type /new to begin another]",
    interrupted: "[the answer was interrupted; what was written is kept]",
    again_to_quit: "Press Ctrl-C again or type /exit to end.",
    new_conversation: "New conversation.",
    goodbye: "See you soon.",
    demo: "Demo model: it shows how Aula works, but knows very little.",
};

const PT: Texts = Texts {
    welcome: "Escreva a sua pergunta. /novo começa outra conversa, /sair termina. Ctrl-C interrompe uma resposta.",
    prompt: "Você: ",
    loading: "Abrindo o modelo…",
    stopped: "[resposta interrompida]",
    cut: "[a resposta chegou ao limite de tamanho]",
    context_full: "[a conversa está cheia: escreva /novo para começar outra]",
    interrupted: "[a resposta foi interrompida; o que foi escrito fica guardado]",
    again_to_quit: "Pressione Ctrl-C outra vez ou escreva /sair para terminar.",
    new_conversation: "Conversa nova.",
    goodbye: "Até logo.",
    demo: "Modelo de demonstração: mostra como a Aula funciona, mas sabe muito pouco.",
};

impl Lang {
    /// This language's sentences.
    pub fn texts(self) -> &'static Texts {
        match self {
            Self::Es => &ES,
            Self::En => &EN,
            Self::Pt => &PT,
        }
    }

    /// The language that was asked for, otherwise the system's, otherwise Spanish, as in the window.
    pub fn or_system(chosen: Option<Self>) -> Self {
        chosen.unwrap_or_else(|| Self::of_environment(|name| std::env::var(name).ok()))
    }

    /// The first of the variables that decide the language of messages, as POSIX orders them.
    fn of_environment(get: impl Fn(&str) -> Option<String>) -> Self {
        let locale =
            ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| get(name).filter(|value| !value.is_empty()));
        match locale.as_deref().and_then(|locale| locale.get(..2)) {
            Some("en") => Self::En,
            Some("pt") => Self::Pt,
            _ => Self::Es,
        }
    }
}

/// What a line typed at the prompt asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Nothing.
    Empty,
    /// To end.
    Quit,
    /// To begin another conversation.
    New,
    /// An answer.
    Question(&'a str),
}

/// Reads a line. The commands of all languages are understood whatever the language is.
pub fn read_line(line: &str) -> Line<'_> {
    match line.trim() {
        "" => Line::Empty,
        "/salir" | "/exit" | "/quit" | "/sair" => Line::Quit,
        "/nuevo" | "/nueva" | "/new" | "/novo" | "/nova" => Line::New,
        question => Line::Question(question),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_language() {
        let of = |pairs: &[(&str, &str)]| {
            Lang::of_environment(|name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[]), Lang::Es);
        assert_eq!(of(&[("LANG", "es_CO.UTF-8")]), Lang::Es);
        assert_eq!(of(&[("LANG", "es_CO.UTF-8"), ("LC_ALL", "pt_BR.UTF-8")]), Lang::Pt);
        assert_eq!(of(&[("LANG", "pt"), ("LC_ALL", "")]), Lang::Pt);
        assert_eq!(of(&[("LANG", "en_GB.UTF-8")]), Lang::En);
        assert_eq!(of(&[("LANG", "C")]), Lang::Es);
        assert_eq!(of(&[("LANG", "é")]), Lang::Es);
    }

    #[test]
    fn commands_are_understood_in_all_languages() {
        for line in ["/salir", "/exit\n", " /sair ", "/quit"] {
            assert_eq!(read_line(line), Line::Quit, "{line}");
        }
        for line in ["/nuevo", "/new", "/novo\r\n"] {
            assert_eq!(read_line(line), Line::New, "{line}");
        }
        assert_eq!(read_line(" \n"), Line::Empty);
        assert_eq!(read_line("  ¿7 × 8? \n"), Line::Question("¿7 × 8?"));
        assert_eq!(read_line("/salir ahora"), Line::Question("/salir ahora"));
    }

    #[test]
    fn each_language_says_how_to_end() {
        for (texts, command) in [(&ES, "/salir"), (&EN, "/exit"), (&PT, "/sair")] {
            assert!(texts.welcome.contains(command) && texts.again_to_quit.contains(command), "{texts:?}");
            assert_eq!(read_line(command), Line::Quit);
        }
    }
}
