//! Which country a telephone number belongs to, by the digits it begins with: the calling codes of ITU-T
//! E.164, and what divides a code that several countries share. Line types and the lengths of national
//! numbers are not here: a number that has a country may still not exist.

/// ISO 3166-1 alpha-2 codes (and the AC, TA and XK in common use), each followed by the prefixes that are
/// its own. The longest prefix decides. One text is the smallest form in the wasm: a slice of pairs costs
/// sixteen bytes of pointers for each prefix.
///
/// What is missing belongs to nobody's ordinary network and is refused by every list: satellite and global
/// services (+800, +808, +870, +878, +88x, +979), unassigned codes, and the North American codes without a
/// place (toll free, premium, personal, and Canada's 600, which is satellite). +1 is listed by area code
/// because a default of US would let a new Caribbean code in, at Caribbean prices; new area codes are added
/// from <https://nanpa.com>. The prefixes are those of libphonenumber 9.0.43.
const COUNTRIES: &str = "
AC 247 AD 376 AE 971 AF 93 AG 1268 AI 1264 AL 355 AM 374 AO 244 AR 54 AS 1684 AT 43 AU 61
AW 297 AX 35818 AZ 994 BA 387 BB 1246 BD 880 BE 32 BF 226 BG 359 BH 973 BI 257 BJ 229
BL 59059027 59059029 59059051 59059052 59059087 BM 1441 BN 673 BO 591 BQ 5993 5994 5997 BR 55
BS 1242 BT 975 BW 267 BY 375 BZ 501
CA 1204 1226 1236 1249 1250 1257 1263 1273 1289 1306 1343 1354 1365 1367 1368 1382 1403 1416
1418 1428 1431 1437 1438 1450 1468 1474 1506 1514 1519 1548 1579 1581 1584 1587 1604 1613 1639
1647 1672 1683 1705 1709 1742 1753 1778 1780 1782 1807 1819 1825 1867 1873 1879 1902 1905 1942
CC 6189162 CD 243 CF 236 CG 242 CH 41 CI 225 CK 682 CL 56 CM 237 CN 86 CO 57 CR 506 CU 53
CV 238 CW 5999 CX 6189164 CY 357 CZ 420 DE 49 DJ 253 DK 45 DM 1767 DO 1809 1829 1849 DZ 213
EC 593 EE 372 EG 20 EH 2125288 2125289 ER 291 ES 34 ET 251 FI 358 FJ 679 FK 500 FM 691 FO 298
FR 33 GA 241 GB 44 GD 1473 GE 995 GF 594 GG 441481 447781 447839 4479111 4479117 GH 233 GI 350
GL 299 GM 220 GN 224 GP 590 GQ 240 GR 30 GT 502 GU 1671 GW 245 GY 592 HK 852 HN 504 HR 385
HT 509 HU 36 ID 62 IE 353 IL 972 IM 441624 4474576 447524 447624 447924 IN 91 IO 246 IQ 964
IR 98 IS 354 IT 39 JE 441534 447509 4477003 4477007 4477008 447797 447829 447937 JM 1658 1876
JO 962 JP 81 KE 254 KG 996 KH 855 KI 686 KM 269 KN 1869 KP 850 KR 82 KW 965 KY 1345 KZ 76 77
LA 856 LB 961 LC 1758 LI 423 LK 94 LR 231 LS 266 LT 370 LU 352 LV 371 LY 218 MA 212 MC 377
MD 373 ME 382
MF 59059000 59059007 59059009 59059013 59059043 59059050 59059056 59059058 59059077 59059079
MG 261 MH 692 MK 389 ML 223 MM 95 MN 976 MO 853 MP 1670 MQ 596 MR 222 MS 1664 MT 356 MU 230
MV 960 MW 265 MX 52 MY 60 MZ 258 NA 264 NC 687 NE 227 NF 672 NG 234 NI 505 NL 31 NO 47 NP 977
NR 674 NU 683 NZ 64 OM 968 PA 507 PE 51 PF 689 PG 675 PH 63 PK 92 PL 48 PM 508 PR 1787 1939
PS 970 PT 351 PW 680 PY 595 QA 974 RE 262 RO 40 RS 381 RU 73 74 78 79 RW 250 SA 966 SB 677
SC 248 SD 249 SE 46 SG 65 SH 290 SI 386 SJ 4779 SK 421 SL 232 SM 378 SN 221 SO 252 SR 597
SS 211 ST 239 SV 503 SX 1721 SY 963 SZ 268 TA 2908 TC 1649 TD 235 TG 228 TH 66 TJ 992 TK 690
TL 670 TM 993 TN 216 TO 676 TR 90 TT 1868 TV 688 TW 886 TZ 255 UA 380 UG 256
US 1201 1202 1203 1205 1206 1207 1208 1209 1210 1212 1213 1214 1215 1216 1217 1218 1219 1220
1223 1224 1225 1227 1228 1229 1231 1234 1235 1239 1240 1248 1251 1252 1253 1254 1256 1260 1262
1267 1269 1270 1272 1274 1276 1279 1281 1283 1301 1302 1303 1304 1305 1307 1308 1309 1310 1312
1313 1314 1315 1316 1317 1318 1319 1320 1321 1323 1324 1325 1326 1327 1329 1330 1331 1332 1334
1336 1337 1339 1341 1346 1347 1350 1351 1352 1353 1360 1361 1363 1364 1369 1380 1385 1386 1401
1402 1404 1405 1406 1407 1408 1409 1410 1412 1413 1414 1415 1417 1419 1423 1424 1425 1430 1432
1434 1435 1440 1442 1443 1445 1447 1448 1458 1463 1464 1469 1470 1472 1475 1478 1479 1480 1484
1501 1502 1503 1504 1505 1507 1508 1509 1510 1512 1513 1515 1516 1517 1518 1520 1530 1531 1534
1539 1540 1541 1551 1557 1559 1561 1562 1563 1564 1567 1570 1571 1572 1573 1574 1575 1580 1582
1585 1586 1601 1602 1603 1605 1606 1607 1608 1609 1610 1612 1614 1615 1616 1617 1618 1619 1620
1623 1626 1628 1629 1630 1631 1636 1640 1641 1645 1646 1650 1651 1656 1657 1659 1660 1661 1662
1667 1669 1678 1680 1681 1682 1686 1689 1701 1702 1703 1704 1706 1707 1708 1712 1713 1714 1715
1716 1717 1718 1719 1720 1724 1725 1726 1727 1728 1730 1731 1732 1734 1737 1738 1740 1743 1747
1748 1754 1757 1760 1762 1763 1765 1769 1770 1771 1772 1773 1774 1775 1779 1781 1785 1786 1801
1802 1803 1804 1805 1806 1808 1810 1812 1813 1814 1815 1816 1817 1818 1820 1821 1826 1828 1830
1831 1832 1835 1838 1839 1840 1843 1845 1847 1848 1850 1854 1856 1857 1858 1859 1860 1862 1863
1864 1865 1870 1872 1878 1901 1903 1904 1906 1907 1908 1909 1910 1912 1913 1914 1915 1916 1917
1918 1919 1920 1925 1928 1929 1930 1931 1934 1936 1937 1938 1940 1941 1943 1945 1947 1948 1949
1951 1952 1954 1956 1959 1970 1971 1972 1973 1975 1978 1979 1980 1983 1984 1985 1986 1989
UY 598 UZ 998 VA 3906698 VC 1784 VE 58 VG 1284 VI 1340 VN 84 VU 678 WF 681 WS 685 XK 383 YE 967
YT 2622689 262269 26263 2627093 2629398 2629478 2629769 ZA 27 ZM 260 ZW 263
";

/// Ranges that bill the caller or follow a person (premium, shared cost, personal numbers), as far as two
/// or three national digits show it, and +52 1, the old second form of each Mexican mobile number. Not
/// exhaustive, and no mobile, fixed or Internet telephony range is inside; only the provider's own lookup
/// knows the line type of the rest.
const REFUSED: &str = "
2090 21289 2138 216811 21682 21688 2218 2270 23030 231332 2368 2409 2428 2488 2509 2549 2558
2559 2569 2628 26487 2679 2689 2698 2786 279 29790 29890 307 308 3090 3190 3270 3278 3290 338
3470 3480 3490 351601 351607 351608 35164 3517 3518 352801 352900 352901 352905 35370 3549 3557
35580 3559 3565 3577 3578 35790 35860 3587 359700 35990 3690 3691 3707 370808 370900 370902
370903 370909 37091 3718 3719 37240 37270 3729 3738 3739 37480 37490 3758 3759 3761 3769 3787
38090 3817 3819 3829 3839 3856 3857 38689 3869 3878 3879 3895 3898 391 398 408 409 4184 4187
4190 420700 420701 4208 42090 420976 42185 42186 42187 42188 42189 421900 42197 42198 4239 438
439 4470 448 449 4590 46649 4675 4677 46900 46939 46944 4699 4781 4782 4788 4870 4880 4913 4918
49700 49900 5021 5039 5069 507822 507855 50786 507877 507878 507886 507900 507981 5180 521 5230
5250 5290 53807 5460 5530 5540 55486 5550 5590 571 5790 589 59081 59082 59089 5929 59481 59482
59489 59681 59682 59689 59790 59890 6113 6119 6280 641 645 6470 6490 651 67070 6709 68736 780
81600 81990 8250 8260 8419 85281 85282 85283 852900 86160 86168 8640 86950 88620 88699 90592
9088 9089 909 921 9290 96270 96285 9629 9669 968900 9701 97170 97190 97212 97217 97219 9738
9739 99490
";

/// Where a national number may begin with 0.
const ZERO_KEPT: &str = "39 225 226 229 241 242 250 378 992";

/// The calling codes of two digits; 1 and 7 have one, the others three.
const TWO_DIGITS: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 \
     62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";

/// The country of an E.164 number, given without its +. `None` is a number that no country's ordinary
/// network answers.
pub(super) fn country_of(digits: &str) -> Option<[u8; 2]> {
    if is_second_spelling(digits) || is_refused(digits) {
        return None;
    }
    prefixes()
        .filter(|(_, prefix)| digits.starts_with(prefix))
        .max_by_key(|(_, prefix)| prefix.len())
        .map(|(country, _)| country)
}

pub(super) fn is_country(code: [u8; 2]) -> bool {
    prefixes().any(|(country, _)| country == code)
}

/// The country code at the beginning of `digits`, in the sense of E.164: 1 for Jamaica too.
pub(super) fn calling_code(digits: &str) -> &str {
    let length = match digits.get(..2) {
        Some(start) if start.starts_with(['1', '7']) => 1,
        Some(start)
            if TWO_DIGITS
                .split_ascii_whitespace()
                .any(|code| code == start) =>
        {
            2
        }
        _ => 3,
    };
    digits.get(..length).unwrap_or(digits)
}

fn prefixes() -> impl Iterator<Item = ([u8; 2], &'static str)> {
    let mut country = [0; 2];
    COUNTRIES
        .split_ascii_whitespace()
        .filter_map(move |word| match *word.as_bytes() {
            [first @ b'A'..=b'Z', second] => {
                country = [first, second];
                None
            }
            _ => Some((country, word)),
        })
}

fn is_refused(digits: &str) -> bool {
    REFUSED
        .split_ascii_whitespace()
        .any(|prefix| digits.starts_with(prefix))
}

/// Networks forgive +44 07700 and surplus digits after +1 415 555 2671, so these would reach the phone of
/// the plain form while each counts its sends from zero.
fn is_second_spelling(digits: &str) -> bool {
    let code = calling_code(digits);
    match code {
        "1" | "7" => digits.len() != 11,
        _ => {
            digits
                .strip_prefix(code)
                .is_some_and(|national| national.starts_with('0'))
                && !ZERO_KEPT.split_ascii_whitespace().any(|kept| kept == code)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_prefix_is_digits_of_one_country_and_appears_once() {
        let mut seen = HashSet::new();
        for (country, prefix) in prefixes() {
            assert_ne!(country, [0; 2], "{prefix} follows no country");
            assert!(is_e164_start(prefix), "{prefix}");
            assert!(seen.insert(prefix), "{prefix} appears twice");
        }
    }

    #[test]
    fn every_country_appears_once_and_in_order() {
        let codes: Vec<&str> = COUNTRIES
            .split_ascii_whitespace()
            .filter(|word| word.starts_with(|first: char| first.is_ascii_alphabetic()))
            .collect();
        assert!(codes.is_sorted_by(|one, next| one < next));
        assert!(
            codes
                .iter()
                .all(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()))
        );
        assert_eq!(codes.len(), 245);
    }

    #[test]
    fn every_refused_prefix_is_digits_and_lies_inside_one_listed_code() {
        let mut seen = HashSet::new();
        for refused in REFUSED.split_ascii_whitespace() {
            assert!(is_e164_start(refused), "{refused}");
            assert!(seen.insert(refused), "{refused} appears twice");
            assert!(
                refused.len() > calling_code(refused).len(),
                "{refused} is a whole calling code"
            );
            assert!(
                prefixes().any(|(_, prefix)| refused.starts_with(prefix)),
                "{refused} refuses nothing"
            );
            assert!(
                !prefixes().any(|(_, prefix)| prefix.starts_with(refused)),
                "{refused} hides a listed prefix"
            );
        }
    }

    #[test]
    fn a_country_prefix_begins_with_a_calling_code_of_the_right_length() {
        for (_, prefix) in prefixes() {
            let code = calling_code(prefix);
            assert!(prefix.starts_with(code));
            assert!(
                !prefixes().any(|(_, other)| other.len() < code.len() && prefix.starts_with(other)),
                "{prefix} is taken for +{code}"
            );
        }
    }

    #[test]
    fn the_tables_stay_small() {
        assert!(COUNTRIES.len() + REFUSED.len() < 6_000);
    }

    fn is_e164_start(prefix: &str) -> bool {
        prefix.bytes().all(|b| b.is_ascii_digit()) && !prefix.starts_with('0')
    }
}
