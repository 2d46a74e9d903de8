//! The tools seen from outside: what reaches a model, the form of each result, and what a text is read as.

mod forms;
mod prompts;
mod reading;

use super::*;

/// One task of each tool.
fn each() -> Vec<Task> {
    vec![
        quiz(3),
        Task::Practice { topic: "fracciones".to_owned(), level: Level::Medium, used: Vec::new() },
        Task::MindMap { about: About::Topic("la célula".to_owned()) },
        Task::Illustration { about: About::Topic("una parábola".to_owned()) },
        Task::Flashcards { topic: "capitales".to_owned(), count: 5 },
        Task::Sheet { topic: "el agua".to_owned(), grade: 7, count: 3, form: SheetForm::Mixed },
        Task::Reading { handwriting: true },
    ]
}

fn quiz(count: u8) -> Task {
    Task::Quiz { topic: "las tablas de multiplicar".to_owned(), count, level: Level::Easy }
}
