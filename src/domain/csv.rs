//! Lines of CSV (RFC 4180) that a spreadsheet takes for text.

/// Adds a line. A field that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV
/// injection; ATK-107): user ids may begin with any of these characters.
pub fn push_line<'a>(text: &mut String, fields: impl IntoIterator<Item = &'a str>) {
    for (place, field) in fields.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        push_field(text, field);
    }
    text.push_str("\r\n");
}

fn push_field(text: &mut String, field: &str) {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = formula || field.contains([',', '"', '\r', '\n']);
    if quoted {
        text.push('"');
    }
    if formula {
        text.push('\'');
    }
    if quoted {
        text.push_str(&field.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fields: &[&str]) -> String {
        let mut text = String::new();
        push_line(&mut text, fields.iter().copied());
        text
    }

    #[test]
    fn a_line_is_as_rfc_4180_writes_it() {
        assert_eq!(line(&["a", "", "b c"]), "a,,b c\r\n");
        assert_eq!(
            line(&["a,b", "say \"x\"", "1\r\n2"]),
            "\"a,b\",\"say \"\"x\"\"\",\"1\r\n2\"\r\n"
        );
    }

    #[test]
    fn atk_107_no_field_is_a_formula() {
        for field in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "=cmd|' /C calc'!A0",
        ] {
            assert_eq!(line(&[field]), format!("\"'{field}\"\r\n"));
        }
        assert_eq!(line(&["a=1", "1-1"]), "a=1,1-1\r\n");
    }
}
