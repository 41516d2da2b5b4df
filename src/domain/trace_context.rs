//! Which trace a request is part of: W3C Trace Context, the header `traceparent`.

use super::ids::RequestId;

/// Bytes of version 00: `00-`, 32 hex digits of the trace, 16 of its caller's part of it, 2 of flags (§3.2.2).
const LENGTH: usize = 55;

/// The trace a request is part of. It names nobody, and nothing is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: [u8; 16],
    /// Whether the caller may have recorded it (§3.2.2.5).
    sampled: bool,
}

impl TraceContext {
    /// Reads a header as §3.2 and §4.3 say. `None` for what is malformed: such a header counts as none.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let (known, rest) = traceparent.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let version: [u8; 1] = lower_hex(parts.next()?)?;
        let trace: [u8; 16] = lower_hex(parts.next()?)?;
        let parent: [u8; 8] = lower_hex(parts.next()?)?;
        let [flags] = lower_hex(parts.next()?)?;
        let longer_than_allowed = match version {
            [0xff] => return None,
            [0x00] => !rest.is_empty(),
            // A later version may go on, after one more dash.
            _ => !(rest.is_empty() || rest.starts_with('-')),
        };
        let absent = trace == [0; 16] || parent == [0; 8];
        (parts.next().is_none() && !longer_than_allowed && !absent).then_some(Self {
            trace,
            sampled: flags & 1 == 1,
        })
    }

    /// A trace that begins with this request, and has its id.
    pub fn beginning_with(request: &RequestId) -> Self {
        let mut trace = [0; 16];
        // It is 128 random bits in hex.
        let _ = hex::decode_to_slice(request.as_str(), &mut trace);
        Self {
            trace,
            sampled: false,
        }
    }

    /// In hex.
    pub fn trace_id(&self) -> String {
        hex::encode(self.trace)
    }

    /// The header for a request made on behalf of this one, which is the part `span` of the trace. `span` is random.
    pub fn traceparent(&self, span: [u8; 8]) -> String {
        let (trace, span) = (self.trace_id(), hex::encode(span));
        format!("00-{trace}-{span}-{:02x}", u8::from(self.sampled))
    }
}

/// `N` bytes of hex in lower case, as §3.2.2 has it.
fn lower_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    (!text.bytes().any(|byte| byte.is_ascii_uppercase())).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn header(version: &str, trace: &str, parent: &str, flags: &str) -> String {
        format!("{version}-{trace}-{parent}-{flags}")
    }

    #[test]
    fn the_example_of_the_standard_goes_on_under_a_part_of_its_own() {
        let context = TraceContext::parse(&header("00", TRACE, "00f067aa0ba902b7", "01")).unwrap();
        assert_eq!(context.trace_id(), TRACE);
        let passed_on = context.traceparent([0xb9, 0xc7, 0xc9, 0x89, 0xf9, 0x79, 0x18, 0xe1]);
        assert_eq!(passed_on, header("00", TRACE, "b9c7c989f97918e1", "01"));
        assert_eq!(TraceContext::parse(&passed_on), Some(context));
    }

    #[test]
    fn of_the_flags_only_the_known_one_is_passed_on() {
        for (flags, sampled) in [("00", "00"), ("02", "00"), ("fe", "00"), ("ff", "01")] {
            let context = TraceContext::parse(&header("00", TRACE, "00f067aa0ba902b7", flags));
            let passed_on = context.unwrap().traceparent([1; 8]);
            assert!(passed_on.ends_with(&format!("-{sampled}")), "{flags}");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let known = header("cc", TRACE, "00f067aa0ba902b7", "01");
        for later in [known.clone(), format!("{known}-what-comes")] {
            assert_eq!(TraceContext::parse(&later).unwrap().trace_id(), TRACE);
        }
        assert_eq!(TraceContext::parse(&format!("{known}.what")), None);
    }

    #[test]
    fn what_is_malformed_counts_as_absent() {
        let parent = "00f067aa0ba902b7";
        for bad in [
            String::new(),
            "00".to_owned(),
            TRACE.to_owned(),
            header("ff", TRACE, parent, "01"),
            header("0", TRACE, parent, "001"),
            header("00", &"0".repeat(32), parent, "01"),
            header("00", TRACE, &"0".repeat(16), "01"),
            header("00", &TRACE.to_uppercase(), parent, "01"),
            header("00", &"g".repeat(32), parent, "01"),
            header("00", TRACE, parent, "0x"),
            header("00", &TRACE[1..], parent, "010"),
            header("00", TRACE, parent, "01-"),
            header("00", TRACE, parent, "01-more"),
            format!(" {}", header("00", TRACE, parent, "01")),
            header("00", TRACE, parent, "01").replace('-', "\n"),
            // Two headers, as some proxies join them.
            format!("{0}, {0}", header("00", TRACE, parent, "01")),
            "é".repeat(40),
        ] {
            assert_eq!(TraceContext::parse(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_trace_that_begins_here_has_the_requests_id() {
        let request = RequestId::draw().unwrap();
        let context = TraceContext::beginning_with(&request);
        assert_eq!(context.trace_id(), request.as_str());
        let passed_on = context.traceparent([1; 8]);
        assert_eq!(TraceContext::parse(&passed_on), Some(context));
    }
}
