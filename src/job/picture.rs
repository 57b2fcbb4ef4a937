//! A picture as claude gets it: unchanged if it fits, sized down if it does not.
//!
//! Plain blocking code in a process of its own (the hidden subcommand [`COMMAND`]): the memory that a picture takes,
//! and the harm that a broken one may do, end with that process. `job::fetch` starts it.
//!
//! # What fits
//! A picture of at most 2,000 pixels a side and 3.75 MB. The Messages API takes 8,000 pixels and 5 MB in base64, but
//! refuses every request of a conversation with more than 20 pictures if one of them is larger than 2,000 pixels; a
//! model sees no more of a larger one. Every picture is decoded once: one that the API could not read would make each
//! later turn of its conversation fail.

use std::fs::{self, OpenOptions};
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits,
};
use serde::{Deserialize, Serialize};

/// `telecoder fit-picture FROM TO`
pub const COMMAND: &str = "fit-picture";

/// The longest side, in pixels.
const LONGEST_SIDE: u32 = 2_000;
/// 5 MB in base64, in bytes.
const LARGEST: usize = 3_750_000;
/// The most memory, in bytes, and the most pixels a side that a picture may take to be decoded.
const MOST_MEMORY: u64 = 400 * 1024 * 1024;
const MOST_PIXELS: u32 = 30_000;
const JPEG_QUALITY: u8 = 85;
/// How many bytes of a file tell its type.
const BEGINNING: usize = 64;

/// What claude gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fitted {
    /// Of the picture that claude gets.
    pub media_type: String,
    /// It is a smaller copy, because the picture was too large.
    pub is_sized: bool,
}

/// What kind of picture a file is, by its first bytes; `None` for everything that claude does not take as one.
pub fn media_type(file: &Path) -> Option<&'static str> {
    let mut beginning = Vec::new();
    let file = fs::File::open(file).ok()?;
    file.take(BEGINNING as u64)
        .read_to_end(&mut beginning)
        .ok()?;
    let format = image::guess_format(&beginning).ok()?;
    is_taken(format).then(|| format.to_mime_type())
}

/// Looks at the picture in `from`; one that is too large is written to `to`, smaller.
///
/// Errors: it is no picture, is broken, or is far too large.
pub fn fit(from: &Path, to: &Path) -> anyhow::Result<Fitted> {
    let bytes = fs::read(from).context("the file cannot be read")?;
    let mut reader = ImageReader::new(Cursor::new(&bytes))
        .with_guessed_format()
        .context("the file cannot be read")?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_PIXELS);
    limits.max_image_height = Some(MOST_PIXELS);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let format = reader
        .format()
        .filter(|format| is_taken(*format))
        .context("this is no picture that claude takes")?;
    let mut decoder = reader
        .into_decoder()
        .context("the picture cannot be read")?;
    // The limits above do not include the picture itself.
    anyhow::ensure!(
        decoder.total_bytes() <= MOST_MEMORY,
        "the picture takes too much memory"
    );
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).context("the picture cannot be read")?;
    if picture.width().max(picture.height()) <= LONGEST_SIDE && bytes.len() <= LARGEST {
        return Ok(Fitted {
            media_type: format.to_mime_type().to_owned(),
            is_sized: false,
        });
    }
    drop(bytes);
    // The smaller one does not say which way is up.
    picture.apply_orientation(orientation);
    let (sized, format) = sized(picture, format)?;
    write(to, &sized).context("the smaller picture cannot be written")?;
    Ok(Fitted {
        media_type: format.to_mime_type().to_owned(),
        is_sized: true,
    })
}

/// As [`fit`], and prints the result as JSON on stdout.
pub fn fit_and_say(from: &Path, to: &Path) -> anyhow::Result<()> {
    let fitted = fit(from, to)?;
    println!("{}", serde_json::to_string(&fitted)?);
    Ok(())
}

fn is_taken(format: ImageFormat) -> bool {
    matches!(
        format,
        ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::WebP
    )
}

/// A photo stays a photo; everything else keeps its sharp edges as long as that is not too large.
fn sized(picture: DynamicImage, format: ImageFormat) -> anyhow::Result<(Vec<u8>, ImageFormat)> {
    let mut picture = picture;
    let mut side = LONGEST_SIDE;
    loop {
        picture = shrunk(picture, side);
        if format != ImageFormat::Jpeg {
            let png = as_png(&picture)?;
            if png.len() <= LARGEST {
                return Ok((png, ImageFormat::Png));
            }
        }
        let jpeg = as_jpeg(&picture)?;
        if jpeg.len() <= LARGEST {
            return Ok((jpeg, ImageFormat::Jpeg));
        }
        side = side * 3 / 4;
    }
}

fn shrunk(picture: DynamicImage, side: u32) -> DynamicImage {
    let longest = picture.width().max(picture.height());
    if longest <= side {
        return picture;
    }
    // A very large one quickly to twice the size first: the careful way takes four times its memory.
    let picture = match longest > 2 * side {
        true => picture.thumbnail(2 * side, 2 * side),
        false => picture,
    };
    picture.resize(side, side, FilterType::CatmullRom)
}

fn as_png(picture: &DynamicImage) -> anyhow::Result<Vec<u8>> {
    let mut png = Vec::new();
    picture
        .write_with_encoder(PngEncoder::new(&mut png))
        .context("the picture cannot be written smaller")?;
    Ok(png)
}

/// Transparent parts become white.
fn as_jpeg(picture: &DynamicImage) -> anyhow::Result<Vec<u8>> {
    let mut opaque = picture.to_rgba8();
    for pixel in opaque.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0.map(u16::from);
        let on_white = |colour: u16| (colour * alpha + 255 * (255 - alpha)) / 255;
        pixel.0 = [on_white(red), on_white(green), on_white(blue), 255]
            .map(|colour| u8::try_from(colour).unwrap_or(u8::MAX));
    }
    let opaque = DynamicImage::from(opaque).to_rgb8();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
        .write_image(
            &opaque,
            opaque.width(),
            opaque.height(),
            ExtendedColorType::Rgb8,
        )
        .context("the picture cannot be written smaller")?;
    Ok(jpeg)
}

fn write(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(to)?;
    file.write_all(bytes)?;
    file.sync_all()
}
