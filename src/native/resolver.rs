//! Names to addresses, and which addresses may be called. What is connected to is what was looked at: a name is looked
//! up once for each connection, and not again (ATK-105, DNS rebinding).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

type Answer = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Which addresses a client may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Those that the operator's own variables name.
    Everywhere,
    /// What somebody else named: public addresses alone.
    Public,
    /// And this machine, for a service in development.
    PublicAndHere,
}

impl Reach {
    pub(super) fn admits(self, address: IpAddr) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Public => is_public(address),
            Self::PublicAndHere => is_public(address) || address.is_loopback(),
        }
    }
}

#[derive(Clone)]
pub(super) struct Resolver {
    reach: Reach,
    look_up: Arc<dyn Fn(String) -> Answer + Send + Sync>,
}

impl Resolver {
    /// Asks the system.
    pub(super) fn new(reach: Reach) -> Self {
        let look_up = |name: String| -> Answer {
            Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
        };
        let look_up = Arc::new(look_up);
        Self { reach, look_up }
    }

    pub(super) fn reach(&self) -> Reach {
        self.reach
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (reach, answer) = (self.reach, (self.look_up)(name.as_str().to_owned()));
        Box::pin(async move {
            let addresses = answer.await?;
            // One that is not is enough: whoever answers so means no good, or is not set up yet.
            if addresses.iter().all(|address| reach.admits(address.ip())) {
                return Ok(addresses.into_iter());
            }
            Err(io::Error::other(
                "the name leads to an address that is not public",
            ))
        })
    }
}

/// Whether an address is somebody's on the internet (IANA's registries of special-purpose addresses). Where a network's
/// own translation into IPv4 stands in the address, that counts.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    // 168.63.129.16 is Azure's own service for its machines.
    const SPECIAL: [([u8; 4], u32); 16] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([168, 63, 129, 16], 32),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 4),
        ([240, 0, 0, 0], 4),
    ];
    let bits = address.to_bits();
    !SPECIAL.iter().any(|(first, length)| {
        let first = Ipv4Addr::from(*first).to_bits();
        (bits ^ first) >> (32 - length) == 0
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [one, two, three, four, five, six, seven, eight] = address.segments();
    let inner = || {
        let [a, b] = seven.to_be_bytes();
        let [c, d] = eight.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (one, two) {
        // ::ffff:0:0/96, IPv4-mapped: the socket speaks IPv4.
        (0, 0) if (three, four, five, six) == (0, 0, 0, 0xffff) => inner(),
        // 64:ff9b::/96, where a network of IPv6 alone translates.
        (0x64, 0xff9b) if (three, four, five, six) == (0, 0, 0, 0) => inner(),
        // 2001::/23, protocols of the IETF; 2001:db8::/32 and 3fff::/20, documentation; 2002::/16, 6to4.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x2002, _) | (0x3fff, 0..=0xfff) => false,
        // What is given out to networks: 2000::/3.
        (0x2000..=0x3fff, _) => true,
        _ => false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// One that answers what it is told, one answer after the other, and then nothing.
    pub(in crate::native) fn scripted(reach: Reach, answers: &[&[&str]]) -> Resolver {
        let read = |answer: &&[&str]| -> Vec<SocketAddr> {
            let addresses = answer.iter().map(|text| text.parse().unwrap());
            addresses.map(|ip: IpAddr| SocketAddr::new(ip, 0)).collect()
        };
        let answers: Vec<_> = answers.iter().rev().map(read).collect();
        let answers = Mutex::new(answers);
        let look_up = move |_: String| -> Answer {
            let next = answers.lock().unwrap().pop().unwrap_or_default();
            Box::pin(async move { Ok(next) })
        };
        let look_up = Arc::new(look_up);
        Resolver { reach, look_up }
    }

    #[test]
    fn atk_105_no_address_inside_of_a_network_is_public_in_any_spelling() {
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "239.255.255.250",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:a9fe:a9fe",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            let address = inside.parse().unwrap();
            assert!(!Reach::Public.admits(address), "{inside}");
            let here = Reach::PublicAndHere.admits(address);
            assert_eq!(here, address.is_loopback(), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
        ] {
            assert!(Reach::Public.admits(outside.parse().unwrap()), "{outside}");
        }
    }

    async fn ask(resolver: &mut Resolver) -> Result<Vec<SocketAddr>, io::Error> {
        let name = "hooks.example".parse().unwrap();
        resolver.call(name).await.map(Iterator::collect)
    }

    #[tokio::test]
    async fn atk_105_a_name_that_leads_inside_is_refused_whenever_it_does() {
        let answers: [&[&str]; 4] = [
            &["1.1.1.1"],
            &["127.0.0.1"],
            &["1.1.1.1", "169.254.169.254"],
            &["1.1.1.1", "2606:4700::1111"],
        ];
        let mut resolver = scripted(Reach::Public, &answers);
        assert_eq!(ask(&mut resolver).await.unwrap().len(), 1);
        ask(&mut resolver).await.unwrap_err();
        ask(&mut resolver).await.unwrap_err();
        assert_eq!(ask(&mut resolver).await.unwrap().len(), 2);
    }
}
