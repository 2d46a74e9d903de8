//! Sheets as Markdown.

use expect_test::expect;
use sheets::markdown;
use tutor::Language;

use crate::samples::{ATTACKS, fractions, full_of, header};

#[test]
fn a_student_gets_questions_and_lines() {
    expect![[r"
        # Fracciones

        Grado 7

        Nombre: \_\_\_\_\_\_\_\_\_\_\_\_ Fecha: \_\_\_\_\_\_\_\_\_\_\_\_ Nota: \_\_\_\_\_\_\_\_\_\_\_\_

        Marca una sola letra.

        1. ¿Cuánto es $\frac{1}{2} + \frac{1}{4}$?

           - **A** $\frac{3}{4}$
           - **B** $\frac{2}{6}$
           - **C** 1
           - **D** Nada

        2. Explica qué es un entero.

           \_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_

           \_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_

           \_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_\_

    "]]
    .assert_eq(&markdown(&fractions(), &header(Language::Es, false)));
}

#[test]
fn whoever_teaches_gets_answers() {
    expect![[r"
        # Fracciones

        Grade 7 · For whoever teaches · Total: 3 points

        Marca una sola letra.

        1. ¿Cuánto es $\frac{1}{2} + \frac{1}{4}$? (1 point)

           - **A** $\frac{3}{4}$
           - **B** $\frac{2}{6}$
           - **C** 1
           - **D** Nada

           **Answer: A**

           Explanation: Primero el denominador común.

        2. Explica qué es un entero. (2 points)

           **Answer:** Todas sus partes juntas.

    "]]
    .assert_eq(&markdown(&fractions(), &header(Language::En, true)));
}

#[test]
fn attacks_stay_text() {
    for attack in ATTACKS {
        let text = markdown(&full_of(attack), &header(Language::Pt, true));
        for bad in ["<", "https://", "\u{202e}", "\u{2028}", "\0", "```"] {
            assert!(!text.contains(bad), "{bad:?} in {text}");
        }
        let links = text.matches("](").count();
        assert_eq!(links, text.matches("\\](").count(), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with('#')).count(), 1, "{text}");
    }
}
