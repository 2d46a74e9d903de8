//! Colours by job and theme: the values of the page's own themes, and one set for paper.

use crate::scene::Paint;

/// For which eyes and which surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Theme {
    /// The squared notebook.
    Light,
    /// The chalkboard.
    Dark,
    /// Most contrast.
    Contrast,
    /// White paper, little ink.
    Print,
}

impl Theme {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Light, Self::Dark, Self::Contrast, Self::Print];

    /// The colour as `#rrggbb`; none where nothing is painted.
    pub fn colour(self, paint: Paint) -> Option<&'static str> {
        let [light, dark, contrast, print] = match paint {
            Paint::None => return None,
            Paint::Surface => ["#ffffff", "#1a2725", "#ffffff", "#ffffff"],
            Paint::Ink => ["#1b2523", "#ecefe8", "#000000", "#000000"],
            Paint::Ink2 => ["#46514e", "#bdc8c2", "#000000", "#333333"],
            Paint::Grid => ["#e4ecea", "#223330", "#d6d6d6", "#ebebeb"],
            Paint::Board => ["#17332f", "#0c1412", "#000000", "#17332f"],
            Paint::OnBoard => ["#e9efea", "#e6ece6", "#ffffff", "#ffffff"],
            Paint::App => ["#0b625c", "#7fd3c6", "#00443f", "#0b625c"],
            Paint::OnApp => ["#ffffff", "#0f2421", "#ffffff", "#ffffff"],
            Paint::AppSoft => ["#e0efeb", "#173630", "#ffffff", "#e0efeb"],
            Paint::Mark => ["#f5b82e", "#f2c14e", "#ffc400", "#f5b82e"],
            Paint::MarkSoft => ["#fcedc6", "#3a3116", "#ffe9a3", "#fcedc6"],
            Paint::YetSoft => ["#fbebdd", "#33281e", "#ffffff", "#fbebdd"],
            Paint::Yet => ["#87400d", "#f2ac7a", "#5e2500", "#87400d"],
        };
        Some(match self {
            Self::Light => light,
            Self::Dark => dark,
            Self::Contrast => contrast,
            Self::Print => print,
        })
    }
}
