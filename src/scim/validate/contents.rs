//! What a value may say, where the connection wants more than the right type: countries are ISO 3166-1 codes, certificates are
//! X.509 (U-13, U-14). Both are off unless the connection is strict: directories hold names of countries, testers send any bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::scim::error::ScimError;
use crate::scim::resource::Resource;
use crate::scim::schema::ResourceType;
use crate::scim::switches::Switches;

/// Checks what has changed; what was stored when nobody looked does not stand in the way of other changes.
///
/// # Errors
/// `invalidValue`, naming the element.
pub fn check_contents(
    rt: &ResourceType,
    switches: &Switches,
    before: Option<&Resource>,
    after: &Resource,
) -> Result<(), ScimError> {
    if rt.name != "User" || (switches.any_country && switches.any_certificate) {
        return Ok(());
    }
    let changed = |name: &str| {
        let now = after.document().get(name)?;
        let was = before.and_then(|before| before.document().get(name));
        (was != Some(now)).then(|| now.as_array())?
    };
    let parts = |name: &str, part: &'static str| {
        let elements = changed(name).into_iter().flatten().enumerate();
        elements
            .filter_map(move |(at, element)| Some((at, element.get(part)?)))
            .filter_map(|(at, value)| Some((at, value.as_str()?)))
            .collect::<Vec<_>>()
    };
    if !switches.any_country {
        for (at, country) in parts("addresses", "country") {
            if !is_country(country) {
                return Err(ScimError::invalid_value(format!(
                    "addresses[{at}].country must be a country's code of two letters, such as NO"
                )));
            }
        }
    }
    if !switches.any_certificate {
        for (at, text) in parts("x509Certificates", "value") {
            if !STANDARD
                .decode(text)
                .is_ok_and(|bytes| is_certificate(&bytes))
            {
                return Err(ScimError::invalid_value(format!(
                    "x509Certificates[{at}].value must be one DER certificate"
                )));
            }
        }
    }
    Ok(())
}

/// ISO 3166-1 alpha-2, as assigned in 2026.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY \
    BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF \
    GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY \
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP \
    NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY \
    SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

fn is_country(text: &str) -> bool {
    COUNTRIES
        .split_ascii_whitespace()
        .any(|code| code.eq_ignore_ascii_case(text))
}

/// Whether the bytes are one certificate and nothing behind it, as far as its outer form goes (RFC 5280 §4.1): a sequence of
/// what is signed, the algorithm and the signature.
fn is_certificate(bytes: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    const BIT_STRING: u8 = 0x03;
    let whole = || {
        let (certificate, rest) = element(bytes, SEQUENCE)?;
        let (signed, after) = element(certificate, SEQUENCE)?;
        let (_, after) = element(after, SEQUENCE)?;
        let (signature, end) = element(after, BIT_STRING)?;
        Some(rest.is_empty() && end.is_empty() && !signed.is_empty() && !signature.is_empty())
    };
    whole().unwrap_or(false)
}

/// The contents of a DER element with this tag, and what stands behind it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        short @ 0..=0x7f => (usize::from(*short), rest),
        // the length of the length: four bytes are more than any body holds
        long @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let length = digits
                .iter()
                .fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
            // DER: in as few bytes as it takes
            let shortest = digits.first() != Some(&0) && length > 0x7f;
            (shortest.then_some(length)?, rest)
        }
        _ => return None,
    };
    (*first == tag).then(|| rest.split_at_checked(length))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        match u8::try_from(contents.len()) {
            Ok(short) if short < 0x80 => bytes.push(short),
            Ok(long) => bytes.extend([0x81, long]),
            Err(_) => {
                bytes.push(0x82);
                bytes.extend(u16::try_from(contents.len()).unwrap().to_be_bytes());
            }
        }
        bytes.extend(contents);
        bytes
    }

    fn certificate(signed: usize) -> Vec<u8> {
        let parts = [
            der(0x30, &vec![7; signed]),
            der(0x30, &[6, 1, 1]),
            der(3, &[0, 9]),
        ]
        .concat();
        der(0x30, &parts)
    }

    #[test]
    fn a_certificate_is_one_and_whole() {
        // U-14
        for signed in [1, 100, 200, 1_000] {
            let one = certificate(signed);
            assert!(is_certificate(&one), "{signed}");
            assert!(!is_certificate(&one[..one.len() - 1]), "cut off");
            assert!(
                !is_certificate(&[one.clone(), vec![0]].concat()),
                "something behind it"
            );
            assert!(!is_certificate(&[one.clone(), one].concat()), "two");
        }
        for none in [
            &b""[..],
            b"random bytes",
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x81, 1, 7],
        ] {
            assert!(!is_certificate(none), "{none:?}");
        }
    }

    #[test]
    fn a_country_is_a_code_in_any_case() {
        // U-13
        assert!(is_country("NO") && is_country("no") && is_country("ZW"));
        for wrong in ["Norway", "NOR", "XX", "", "N", "NO AD"] {
            assert!(!is_country(wrong), "{wrong}");
        }
        assert_eq!(COUNTRIES.split_ascii_whitespace().count(), 249);
    }
}
