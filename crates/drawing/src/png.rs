//! A drawing as a picture of pixels.

use std::sync::{Arc, OnceLock};

use resvg::{tiny_skia, usvg};

use crate::scene::Drawing;
use crate::theme::Theme;

/// Most pixels along one edge.
pub const MOST_PIXELS: u32 = 8192;
/// Most pixels of a picture.
const MOST_AREA: f64 = 40e6;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The drawing could not be read back. A fault of the program.
    #[error("the drawing cannot be rendered")]
    Render(#[source] Box<usvg::Error>),
    /// There is no size to draw at.
    #[error("a drawing of {width} × {height} cannot be rendered at scale {scale}")]
    Size {
        /// Width of the drawing.
        width: f64,
        /// Height of the drawing.
        height: f64,
        /// What was asked for.
        scale: f32,
    },
    /// The pixels could not be packed.
    #[error("the picture cannot be written: {0}")]
    Encode(String),
}

impl errors::Explain for Error {
    fn hint(&self) -> Option<String> {
        None
    }

    fn code(&self) -> errors::ErrorCode {
        match self {
            Self::Size { .. } => errors::ErrorCode::InvalidRequest,
            Self::Render(_) | Self::Encode(_) => errors::ErrorCode::Internal,
        }
    }
}

/// `drawing` as PNG with `scale` pixels per unit, or as many as [`MOST_PIXELS`] allow.
///
/// # Errors
/// If the drawing or the scale has no size.
pub fn png(drawing: &Drawing, theme: Theme, scale: f32) -> Result<Vec<u8>, Error> {
    let size = || Error::Size { width: drawing.width, height: drawing.height, scale };
    let scale_to = allowed_scale(drawing, scale).ok_or_else(size)?;
    let options = usvg::Options {
        fontdb: fonts(),
        font_family: "Atkinson Hyperlegible Next".to_owned(),
        // Nothing in a drawing names a picture; if something did, it would stay empty.
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(|_, _| None),
        },
        ..usvg::Options::default()
    };
    let text = crate::svg(drawing, theme);
    let tree = usvg::Tree::from_str(&text, &options).map_err(|error| Error::Render(Box::new(error)))?;
    let pixels = |length: f64| (length * scale_to).round().clamp(1.0, f64::from(MOST_PIXELS)) as u32;
    let mut pixmap = tiny_skia::Pixmap::new(pixels(drawing.width), pixels(drawing.height)).ok_or_else(size)?;
    let transform = tiny_skia::Transform::from_scale(scale_to as f32, scale_to as f32);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|error| Error::Encode(error.to_string()))
}

fn allowed_scale(drawing: &Drawing, scale: f32) -> Option<f64> {
    let (width, height, scale) = (drawing.width, drawing.height, f64::from(scale));
    let sound = [width, height, scale].iter().all(|value| value.is_finite() && *value > 0.0);
    let most = f64::from(MOST_PIXELS);
    sound.then(|| scale.min(most / width).min(most / height).min((MOST_AREA / (width * height)).sqrt()))
}

fn fonts() -> Arc<usvg::fontdb::Database> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    FONTS
        .get_or_init(|| {
            let mut fonts = usvg::fontdb::Database::new();
            for bytes in [crate::font::REGULAR, crate::font::SEMIBOLD, crate::font::SIGNS] {
                fonts.load_font_data(bytes.to_vec());
            }
            Arc::new(fonts)
        })
        .clone()
}
