//! All that typst may see: one source, which is ours, the values of one sheet, and the fonts that are compiled in.
//! There are no other files, no packages, no date and no network.

use std::sync::OnceLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Dict, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

/// Our source.
const TEMPLATE: &str = include_str!("sheet.typ");

/// The fonts, under the SIL Open Font License 1.1 (`fonts/README.md`): words in the first two, formulas in the third.
const FONTS: [&[u8]; 3] = [
    include_bytes!("../../drawing/fonts/AtkinsonHyperlegibleNext-Regular.ttf"),
    include_bytes!("../../drawing/fonts/AtkinsonHyperlegibleNext-SemiBold.ttf"),
    include_bytes!("../fonts/STIXTwoMath-Formulas.ttf"),
];

/// The world of one sheet.
pub(crate) struct Sheetland {
    library: LazyHash<Library>,
    source: Source,
}

impl Sheetland {
    /// `values` are what the source sees as `sys.inputs`. None where the source has no name, which cannot be.
    pub(crate) fn new(values: Dict) -> Option<Self> {
        let path = VirtualPath::new("sheet.typ").ok()?;
        let id = FileId::new(RootedPath::new(VirtualRoot::Project, path));
        Some(Self {
            library: LazyHash::new(Library::builder().with_inputs(values).build()),
            source: Source::new(id, TEMPLATE.to_owned()),
        })
    }
}

struct Fonts {
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

fn fonts() -> &'static Fonts {
    static LOADED: OnceLock<Fonts> = OnceLock::new();
    LOADED.get_or_init(|| {
        let fonts: Vec<Font> = FONTS.iter().filter_map(|bytes| Font::new(Bytes::new(*bytes), 0)).collect();
        Fonts { book: LazyHash::new(FontBook::from_fonts(&fonts)), fonts }
    })
}

impl World for Sheetland {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &fonts().book
    }

    fn main(&self) -> FileId {
        self.source.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.source.id() { Ok(self.source.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        fonts().fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
