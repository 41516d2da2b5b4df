//! QR codes as PNG and SVG, drawn here: a secret never goes to somebody's image service (ENR-04).

use std::fmt::Write as _;

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use miniz_oxide::deflate::compress_to_vec_zlib;
use qrcode::{Color, EcLevel, QrCode};

/// Pixels per module: 8 keeps the largest URI below 1000 pixels, scans from a screen, and is a byte of a
/// picture with one bit a pixel.
const SCALE: usize = 8;
/// The blank border, in modules (ISO/IEC 18004: 4).
const QUIET_ZONE: usize = 4;

#[derive(Debug, thiserror::Error)]
pub(super) enum QrError {
    #[error("the text does not fit a QR code")]
    TooLong,
}

/// The modules of a code, with the quiet zone around them.
struct Modules {
    width: usize,
    colors: Vec<Color>,
}

impl Modules {
    fn of(text: &str) -> Result<Self, QrError> {
        let code =
            QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| QrError::TooLong)?;
        Ok(Self {
            width: code.width(),
            colors: code.into_colors(),
        })
    }

    /// Modules on a side, the quiet zone included.
    fn side(&self) -> usize {
        self.width + 2 * QUIET_ZONE
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET_ZONE).filter(|&at| at < self.width);
        let index = inside(x)
            .zip(inside(y))
            .map(|(column, row)| row * self.width + column);
        index.and_then(|index| self.colors.get(index)) == Some(&Color::Dark)
    }
}

/// An SVG of one path: a unit square for every dark module.
pub(super) fn svg(text: &str) -> Result<String, QrError> {
    let modules = Modules::of(text)?;
    let side = modules.side();
    let mut path = String::new();
    for y in 0..side {
        for x in (0..side).filter(|&x| modules.is_dark(x, y)) {
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    let pixels = side * SCALE;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{pixels}\" height=\"{pixels}\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\"/></svg>"
    ))
}

/// A PNG of one bit per pixel.
pub(super) fn png(text: &str) -> Result<Vec<u8>, QrError> {
    let modules = Modules::of(text)?;
    let side = modules.side();
    let mut rows = Vec::with_capacity(side * SCALE * (side + 1));
    for y in 0..side * SCALE {
        // Eight pixels are a byte, and so is a module. A set bit is white.
        let module = |x| u8::from(!modules.is_dark(x, y / SCALE)) * u8::MAX;
        rows.push(UNFILTERED);
        rows.extend((0..side).map(module));
    }
    let side = side * SCALE;
    let side = u32::try_from(side)
        .map_err(|_| QrError::TooLong)?
        .to_be_bytes();
    let mut image = SIGNATURE.to_vec();
    chunk(
        &mut image,
        *b"IHDR",
        &[side.as_slice(), &side, &ONE_BIT_GREY].concat(),
    );
    chunk(
        &mut image,
        *b"IDAT",
        &compress_to_vec_zlib(&rows, COMPRESSION),
    );
    chunk(&mut image, *b"IEND", &[]);
    Ok(image)
}

/// The file format around one grey image (PNG, W3C 2003, §5 and §11.2). A crate for all of PNG would
/// be a tenth of the wasm; the compression and the checksum are crates'.
const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// Depth 1, greyscale, deflate, adaptive filters, not interlaced.
const ONE_BIT_GREY: [u8; 5] = [1, 0, 0, 0, 0];
const UNFILTERED: u8 = 0;
const COMPRESSION: u8 = 6;

fn chunk(image: &mut Vec<u8>, name: [u8; 4], content: &[u8]) {
    const CHECKSUM: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);
    let mut checksum = CHECKSUM.digest();
    checksum.update(&name);
    checksum.update(content);
    image.extend(
        u32::try_from(content.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes(),
    );
    image.extend(name);
    image.extend(content);
    image.extend(checksum.finalize().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    // That another program reads the text back is tested with the built Worker, by jsqr.

    const URI: &str = "otpauth://totp/Shop:ann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    /// The modules as the crate has them, row by row, in a border of four light ones.
    fn expected() -> Vec<Vec<bool>> {
        let code = QrCode::with_error_correction_level(URI, EcLevel::M).unwrap();
        let width = code.width();
        let mut rows = vec![vec![false; width + 8]; width + 8];
        for (at, color) in code.into_colors().into_iter().enumerate() {
            rows[4 + at / width][4 + at % width] = color == Color::Dark;
        }
        rows
    }

    #[test]
    fn a_png_shows_every_module_as_8_by_8_pixels_in_a_quiet_zone_of_4() {
        let image = png(URI).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&image))
            .read_info()
            .unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let modules = expected();
        let side = modules.len() * 8;
        assert_eq!(
            (info.width as usize, info.height as usize, info.line_size),
            (side, side, side.div_ceil(8))
        );
        for y in 0..side {
            for x in 0..side {
                let white = bytes[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 1;
                assert_eq!(white, !modules[y / 8][x / 8], "{x} {y}");
            }
        }
    }

    #[test]
    fn an_svg_has_a_square_for_every_dark_module_and_no_other() {
        let image = svg(URI).unwrap();
        let modules = expected();
        let side = modules.len();
        let mut path = String::new();
        for (y, row) in modules.iter().enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, dark)| **dark) {
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
        assert!(image.contains(&format!("d=\"{path}\"")));
        let pixels = side * 8;
        assert!(image.contains(&format!(
            "width=\"{pixels}\" height=\"{pixels}\" viewBox=\"0 0 {side} {side}\""
        )));
    }

    #[test]
    fn an_svg_names_no_outside_resource() {
        let image = svg("otpauth://totp/Shop:ann").unwrap();
        assert!(image.contains("<path"));
        assert!(
            !image
                .replace("http://www.w3.org/2000/svg", "")
                .contains("http")
        );
    }

    #[test]
    fn a_text_beyond_the_largest_code_is_an_error() {
        assert!(matches!(png(&"x".repeat(5_000)), Err(QrError::TooLong)));
    }
}
