//! QR codes as PNG and SVG, drawn here: a secret never goes to somebody's image service (ENR-04).

use qrcode::render::svg;
use qrcode::{Color, EcLevel, QrCode};

/// Pixels per module: 8 keeps the largest URI below 1000 pixels and scans from a screen.
const SCALE: usize = 8;
/// The blank border, in modules (ISO/IEC 18004: 4).
const QUIET_ZONE: usize = 4;

#[derive(Debug, thiserror::Error)]
pub enum QrError {
    #[error("the text does not fit a QR code")]
    TooLong,
    #[error("writing the PNG: {0}")]
    Png(#[from] png::EncodingError),
}

fn code(text: &str) -> Result<QrCode, QrError> {
    QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| QrError::TooLong)
}

pub fn svg(text: &str) -> Result<String, QrError> {
    Ok(code(text)?
        .render::<svg::Color>()
        .min_dimensions(256, 256)
        .build())
}

/// A PNG of one bit per pixel.
pub fn png(text: &str) -> Result<Vec<u8>, QrError> {
    let code = code(text)?;
    let modules = code.width();
    let side = (modules + 2 * QUIET_ZONE) * SCALE;
    let colors = code.to_colors();
    let dark = |x: usize, y: usize| {
        let module = |pixel: usize| {
            (pixel / SCALE)
                .checked_sub(QUIET_ZONE)
                .filter(|&at| at < modules)
        };
        let at = module(x)
            .zip(module(y))
            .map(|(column, row)| row * modules + column);
        at.and_then(|index| colors.get(index)) == Some(&Color::Dark)
    };
    let mut rows = Vec::with_capacity(side * side.div_ceil(8));
    for y in 0..side {
        rows.extend((0..side.div_ceil(8)).map(|byte| {
            // A set bit is white. Bits past the side are padding.
            (0..8).fold(0_u8, |bits, bit| {
                bits << 1 | u8::from(!dark(byte * 8 + bit, y))
            })
        }));
    }
    let mut image = Vec::new();
    let side = u32::try_from(side).map_err(|_| QrError::TooLong)?;
    let mut encoder = png::Encoder::new(&mut image, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.write_header()?.write_image_data(&rows)?;
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    // That another program reads the text back is tested with the built Worker, by jsqr.

    #[test]
    fn a_png_is_square_and_has_its_quiet_zone() {
        let image = png("otpauth://totp/Shop:ann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&image))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width, info.height);
        let border = SCALE * QUIET_ZONE * info.line_size;
        assert!(pixels[..border].iter().all(|&byte| byte == 0xff));
        assert!(pixels[border..].iter().any(|&byte| byte != 0xff));
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
