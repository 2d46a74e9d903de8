//! The other tools as Markdown.

use expect_test::expect;
use sheets::{flashcards_markdown, mind_map_markdown, practice_markdown, quiz_markdown};
use tutor::Language;
use tutor::tools::{Branch, Card, Exercise, Flashcards, Leaf, MindMap, Practice, Question, Quiz, Twig};

#[test]
fn a_mind_map_is_a_nested_list() {
    let map = MindMap {
        label: "Agua".to_owned(),
        children: vec![
            Branch {
                label: "- Mares".to_owned(),
                children: vec![Leaf { label: "*Sal*".to_owned(), children: vec![Twig { label: "NaCl".to_owned() }] }],
            },
            Branch { label: "Ríos".to_owned(), children: Vec::new() },
        ],
    };
    expect![[r"
        # Agua

        - **\- Mares**
          - \*Sal\*
            - NaCl
        - **Ríos**
    "]]
    .assert_eq(&mind_map_markdown(&map));
}

#[test]
fn cards_are_a_table() {
    let cards = Flashcards {
        title: "H|2|O".into(),
        cards: vec![Card { front: "¿a | b?".into(), back: r"$\frac{1}{2}$".into() }],
    };
    expect![[r"
        # H\|2\|O

        | Pergunta | Resposta |
        | --- | --- |
        | ¿a \| b? | $\frac{1}{2}$ |
    "]]
    .assert_eq(&flashcards_markdown(&cards, Language::Pt));
}

#[test]
fn the_answers_of_a_quiz_stand_at_its_end() {
    let question = Question {
        prompt: "2 + 2".into(),
        options: ["3", "4", "5", "6"].map(Into::into).to_vec(),
        hint: "Cuenta.".into(),
        explanation: "Dos y dos.".into(),
        answer: 1,
    };
    expect![[r"
        # Suma

        1. 2 + 2

           - **A** 3
           - **B** 4
           - **C** 5
           - **D** 6

           Pista: Cuenta.

        ## Respuestas

        1. **B** Dos y dos.
    "]]
    .assert_eq(&quiz_markdown(&Quiz { title: "Suma".into(), questions: vec![question] }, Language::Es));
}

#[test]
fn the_way_to_an_answer_stands_at_the_end() {
    let exercise = Exercise {
        prompt: "2 x = 4".into(),
        hint: "Halve.".into(),
        steps: vec!["x = 4 / 2".into(), "- x = 2".into()],
        answer: "2".into(),
    };
    expect![[r"
        # Equations

        1. 2 x = 4

           Hint: Halve.

        ## Answers

        1. **2**

           Steps:

           - x = 4 / 2
           - \- x = 2

    "]]
    .assert_eq(&practice_markdown(&Practice { title: "Equations".into(), exercises: vec![exercise] }, Language::En));
}
