//! What a browser is called, for a person who looks through their own: "Firefox, Linux".
//!
//! Read from `User-Agent` in words of our own and no others, so that nobody can write into somebody's list. It names,
//! and decides nothing: anybody can send any header.

use serde::{Deserialize, Serialize};

/// A browser and its system, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrowserName {
    #[serde(skip_serializing_if = "Option::is_none")]
    browser: Option<Browser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<System>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Browser {
    Edge,
    Opera,
    Firefox,
    Chrome,
    Safari,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum System {
    #[serde(rename = "iPhone")]
    IPhone,
    #[serde(rename = "iPad")]
    IPad,
    Android,
    Windows,
    Mac,
    #[serde(rename = "ChromeOS")]
    ChromeOs,
    Linux,
}

/// In this order: each also says that it is some of those below it.
const BROWSERS: [(&str, Browser); 8] = [
    ("Edg", Browser::Edge),
    ("OPR/", Browser::Opera),
    ("Firefox/", Browser::Firefox),
    ("FxiOS", Browser::Firefox),
    ("Chrome/", Browser::Chrome),
    ("Chromium/", Browser::Chrome),
    ("CriOS", Browser::Chrome),
    ("Safari/", Browser::Safari),
];

const SYSTEMS: [(&str, System); 7] = [
    ("iPhone", System::IPhone),
    ("iPad", System::IPad),
    ("Android", System::Android),
    ("Windows", System::Windows),
    ("Mac OS X", System::Mac),
    ("CrOS", System::ChromeOs),
    ("Linux", System::Linux),
];

impl BrowserName {
    /// From the header's text.
    pub fn of(user_agent: &str) -> Self {
        let browser = BROWSERS.iter().find(|(sign, _)| user_agent.contains(sign));
        let system = SYSTEMS.iter().find(|(sign, _)| user_agent.contains(sign));
        Self {
            browser: browser.map(|(_, browser)| *browser),
            system: system.map(|(_, system)| *system),
        }
    }

    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// "Firefox, Linux"; one of the two where only one is known, and nothing where neither is.
    pub fn text(self) -> Option<String> {
        let browser = self.browser.map(Browser::name);
        let system = self.system.map(System::name);
        match (browser, system) {
            (Some(browser), Some(system)) => Some(format!("{browser}, {system}")),
            (one, other) => one.or(other).map(str::to_owned),
        }
    }
}

impl Browser {
    const fn name(self) -> &'static str {
        match self {
            Self::Edge => "Edge",
            Self::Opera => "Opera",
            Self::Firefox => "Firefox",
            Self::Chrome => "Chrome",
            Self::Safari => "Safari",
        }
    }
}

impl System {
    const fn name(self) -> &'static str {
        match self {
            Self::IPhone => "iPhone",
            Self::IPad => "iPad",
            Self::Android => "Android",
            Self::Windows => "Windows",
            Self::Mac => "Mac",
            Self::ChromeOs => "ChromeOS",
            Self::Linux => "Linux",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_by_its_name_and_its_system() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome, Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36 OPR/90.0.0.0",
                "Opera, Android",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
                "Firefox, Linux",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                "Safari, iPhone",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/144.0 Mobile/15E148 Safari/605.1.15",
                "Firefox, iPad",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1",
                "Chrome, iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
                "Safari, Mac",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome, ChromeOS",
            ),
            ("curl (Linux)", "Linux"),
            ("Firefox/1", "Firefox"),
        ] {
            assert_eq!(BrowserName::of(agent).text().as_deref(), Some(name));
        }
    }

    #[test]
    fn nothing_somebody_writes_comes_through() {
        for agent in ["", "<b>Your bank</b>", "curl/8", "firefox"] {
            let name = BrowserName::of(agent);
            assert!(name.is_unknown());
            assert_eq!(name.text(), None);
        }
    }
}
