//! Sheets on paper: Markdown, and PDF for students and for whoever teaches.
