//! Pictures from strangers: what is in them besides pixels goes, and what is none is refused.

use super::*;
use image::{Rgb, Rgba, RgbaImage};
use std::time::Instant;

const SECRET: &str = "Calle 7, Bogota 4.60971N 74.08175W";

/// A picture in which the left half is red and the right half blue.
fn halves(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, _| {
        if x < width / 2 { Rgb([220, 20, 20]) } else { Rgb([20, 20, 220]) }
    }))
}

fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

/// `jpeg` with one more segment behind its beginning.
fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).expect("short").to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

/// EXIF that says how the picture is turned, and where it was taken.
fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"Exif\0\0II*\0\x08\0\0\0\x02\0".to_vec();
    bytes.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    // ImageDescription with text behind the directory.
    bytes.extend([0x0e, 0x01, 2, 0]);
    bytes.extend(u32::try_from(SECRET.len()).expect("short").to_le_bytes());
    bytes.extend(38_u32.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(SECRET.as_bytes());
    bytes
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut checked = kind.to_vec();
    checked.extend(content);
    let mut crc = u32::MAX;
    for byte in &checked {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let length = u32::try_from(content.len()).expect("short").to_be_bytes();
    [&length[..], &checked, &(!crc).to_be_bytes()].concat()
}

/// `png` with chunks behind its header.
fn with_chunks(png: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    [&png[..33], &chunks.concat(), &png[33..]].concat()
}

fn made(file: &[u8]) -> (generation::Image, Vec<u8>, RgbImage) {
    let image = prepare(file).expect("a picture");
    let bytes = STANDARD.decode(&image.base64).expect("base64");
    let format = image::guess_format(&bytes).expect("a format");
    assert_eq!(format.to_mime_type(), image.media_type);
    let pixels = image::load_from_memory(&bytes).expect("it can be read again").to_rgb8();
    assert_eq!(pixels.dimensions(), (image.width, image.height));
    (image, bytes, pixels)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn nothing_but_pixels_is_left_of_a_photo() {
    let jpeg = file(&halves(400, 300), ImageFormat::Jpeg);
    let xmp = format!("http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>{SECRET}</x:xmpmeta>");
    let mut dressed = with_segment(&jpeg, 0xe1, &exif(1));
    dressed = with_segment(&dressed, 0xe1, xmp.as_bytes());
    dressed = with_segment(&dressed, 0xe2, format!("ICC_PROFILE\0\x01\x01{SECRET}").as_bytes());
    dressed = with_segment(&dressed, 0xed, format!("Photoshop 3.0\0{SECRET}").as_bytes());
    dressed = with_segment(&dressed, 0xfe, SECRET.as_bytes());
    dressed.extend(format!("behind the end: {SECRET}").as_bytes());
    assert!(holds(&dressed, SECRET));
    let (_, bytes, pixels) = made(&dressed);
    for trace in [SECRET, "Exif", "adobe", "ICC_PROFILE", "Photoshop"] {
        assert!(!holds(&bytes, trace), "{trace}");
    }
    // Only the segments that a JPEG cannot do without: JFIF's own, tables, frame, scan.
    let mut at = 2;
    while bytes[at + 1] != 0xda {
        assert!(matches!(bytes[at + 1], 0xe0 | 0xdb | 0xc0 | 0xc4), "segment {:02x}", bytes[at + 1]);
        at += 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
    }
    assert!(pixels.get_pixel(10, 10).0[0] > 150 && pixels.get_pixel(390, 10).0[2] > 150);
}

#[test]
fn nothing_but_pixels_is_left_of_a_drawing() {
    let png = file(&halves(300, 200), ImageFormat::Png);
    let text = |kind: &[u8; 4]| chunk(kind, format!("Comment\0{SECRET}").as_bytes());
    let itxt = chunk(b"iTXt", format!("XML:com.adobe.xmp\0\0\0\0\0{SECRET}").as_bytes());
    let dressed =
        with_chunks(&png, &[text(b"tEXt"), itxt, chunk(b"eXIf", &exif(1)[6..]), chunk(b"prVt", SECRET.as_bytes())]);
    assert!(holds(&dressed, SECRET));
    let (image, bytes, _) = made(&dressed);
    assert!(!holds(&bytes, SECRET));
    assert_eq!(image.media_type, "image/png", "two flat halves are smaller without loss");
    let mut at = 8;
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
        let kind = &bytes[at + 4..at + 8];
        assert!([&b"IHDR"[..], b"IDAT", b"IEND"].contains(&kind), "{}", String::from_utf8_lossy(kind));
        at += length + 12;
    }
}

#[test]
fn a_turned_photo_stands_upright() {
    let jpeg = file(&halves(400, 300), ImageFormat::Jpeg);
    // The camera was held so that the red half belongs on top.
    let (image, _, pixels) = made(&with_segment(&jpeg, 0xe1, &exif(6)));
    assert_eq!((image.width, image.height), (300, 400));
    assert!(pixels.get_pixel(150, 20).0[0] > 150, "red on top");
    assert!(pixels.get_pixel(150, 380).0[2] > 150, "blue below");
}

#[test]
fn large_pictures_become_smaller_and_small_ones_stay() {
    let (image, _, _) = made(&file(&halves(3136, 1000), ImageFormat::Jpeg));
    assert_eq!((image.width, image.height), (1568, 500));
    let (image, _, _) = made(&file(&halves(40, 30), ImageFormat::WebP));
    assert_eq!((image.width, image.height), (40, 30));
}

#[test]
fn what_can_be_seen_through_is_white() {
    let mut drawing = RgbaImage::from_pixel(64, 64, Rgba([0, 0, 0, 0]));
    drawing.put_pixel(32, 32, Rgba([0, 0, 0, 255]));
    let (_, _, pixels) = made(&file(&DynamicImage::ImageRgba8(drawing), ImageFormat::Png));
    assert_eq!(pixels.get_pixel(0, 0).0, [255, 255, 255]);
    assert!(pixels.get_pixel(32, 32).0[0] < 60);
}

#[test]
fn a_header_that_promises_too_much_is_refused_before_anything_is_decoded() {
    let began = Instant::now();
    let mut png = file(&halves(8, 8), ImageFormat::Png);
    for (width, height) in [(60_000_u32, 60_000_u32), (u32::MAX >> 1, 3), (0, 10)] {
        let mut header = Vec::new();
        header.extend(width.to_be_bytes());
        header.extend(height.to_be_bytes());
        header.extend(&png[24..29]);
        let rest = png.split_off(33);
        png = [&png[..8], &chunk(b"IHDR", &header), &rest].concat();
        let error = prepare(&png).expect_err("a bomb");
        assert_eq!(error.code(), ErrorCode::ImageUnreadable, "{error}");
    }
    // A generous bound: decoding what the first one promises would take minutes and gigabytes.
    assert!(began.elapsed().as_secs() < 20);
    let long = file(&DynamicImage::new_luma8(65_000, 1000), ImageFormat::Png);
    assert!(matches!(prepare(&long), Err(Unreadable::Size { width: 65_000, height: 1000 })));
}

#[test]
fn what_is_no_picture_is_refused() {
    let jpeg = file(&halves(400, 300), ImageFormat::Jpeg);
    let png = file(&halves(400, 300), ImageFormat::Png);
    let webp = file(&halves(400, 300), ImageFormat::WebP);
    let bmp = [b"BM".as_slice(), &[0; 200]].concat();
    let mut bad: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("text", b"photo.jpg".to_vec()),
        ("a web page", b"<!DOCTYPE html><script>alert(1)</script>".to_vec()),
        ("a vector drawing", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()),
        ("a GIF", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec()),
        ("a BMP", bmp),
        ("a PDF", b"%PDF-1.7\n".to_vec()),
        ("a beginning of a JPEG", vec![0xff, 0xd8, 0xff, 0xe0]),
        ("only a PNG's signature", png[..8].to_vec()),
        ("half a PNG", png[..png.len() / 2].to_vec()),
        ("half a WebP", webp[..webp.len() / 2].to_vec()),
        ("a JPEG's header", jpeg[..100].to_vec()),
        ("a page behind a PNG's signature", [&png[..8], b"<html>".as_slice()].concat()),
    ];
    let mut damaged = png.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 16].fill(0x55);
    bad.push(("a damaged PNG", damaged));
    for (what, bytes) in bad {
        let error = prepare(&bytes).err().unwrap_or_else(|| panic!("{what} is no picture"));
        assert_eq!(error.code(), ErrorCode::ImageUnreadable, "{what}: {error}");
    }
}

#[test]
fn any_cut_and_any_flipped_byte_gives_a_picture_or_an_error() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let whole = file(&halves(48, 32), format);
        for end in (0..whole.len()).step_by(7) {
            // A JPEG that is cut may still show its upper part.
            drop(prepare(&whole[..end]));
        }
        for at in (0..whole.len()).step_by(5) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0xff;
            drop(prepare(&flipped));
        }
    }
}

#[test]
fn a_picture_that_is_something_else_as_well_is_only_a_picture_afterwards() {
    let script = "<script>alert('aula')</script>";
    let mut both = with_segment(&file(&halves(100, 80), ImageFormat::Jpeg), 0xfe, script.as_bytes());
    both.extend(format!("PK\x03\x04{script}").as_bytes());
    let (_, bytes, _) = made(&both);
    assert!(!holds(&bytes, "script") && !holds(&bytes, "PK\x03\x04"));
}

#[test]
fn a_file_is_read_up_to_its_limit() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("photo.jpg");
    std::fs::write(&path, vec![0; MOST_FILE_BYTES + 1]).expect("written");
    assert!(matches!(read(&path), Err(Unreadable::TooLarge { .. })));
    assert_eq!(read(&folder.path().join("nothing.png")).expect_err("no file").code(), ErrorCode::ImageUnreadable);
    // A folder is no file; what the system says differs.
    assert!(read(folder.path()).is_err());
}
