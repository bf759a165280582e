//! Every class of forged token of requirement B9 is refused, for the reason it should be.

use serde_json::{Value, json};

use super::*;

const NOW: Instant = Instant(1_800_000_000_000);

fn claims() -> Claims {
    let now = NOW.0 / 1000;
    Claims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        sub: "Okta".into(),
        jti: random_id().expect("random"),
        tid: TenantId(1),
        kind: TokenKind::Scim,
        scope: "scim:read scim:write".into(),
        iat: now,
        nbf: now,
        exp: now + 3600,
    }
}

fn ring(key: &SigningKey) -> KeyRing {
    KeyRing::from_stored([(key.kid(), key.public().as_str())]).expect("a ring")
}

fn segment(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn header(key: &SigningKey) -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": key.kid()})
}

/// A token of any header and payload with a good signature.
fn signed(key: &SigningKey, header: &Value, payload: &str) -> String {
    let message = format!("{}.{}", segment(header), URL_SAFE_NO_PAD.encode(payload));
    let pair = Ed25519KeyPair::from_pkcs8(&key.pkcs8).expect("a key");
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

#[test]
fn a_token_of_ours_verifies_with_all_its_claims() {
    let key = SigningKey::generate().expect("a key");
    let claims = claims();
    let token = key.sign(&claims).expect("a token");
    assert_eq!(ring(&key).verify(&token), Ok(claims));
    let header = URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap_or_default())
        .expect("base64");
    let header: Value = serde_json::from_slice(&header).expect("json");
    assert_eq!(header, self::header(&key), "exactly alg, typ and kid");
}

#[test]
fn a_stored_key_signs_what_its_public_part_verifies() {
    let made = SigningKey::generate().expect("a key");
    let ring = ring(&made);
    let read = SigningKey::from_stored(made.kid(), &made.secret()).expect("a key");
    assert_eq!(read.public(), made.public());
    assert!(ring.verify(&read.sign(&claims()).expect("a token")).is_ok());
    assert!(SigningKey::from_stored("k", "").is_err());
    assert!(
        KeyRing::from_stored([("k", "")]).is_err(),
        "empty key material is refused"
    );
    assert!(!format!("{made:?}").contains(made.secret().as_str()));
}

#[test]
fn alg_none_is_refused_in_every_spelling() {
    let key = SigningKey::generate().expect("a key");
    let ring = ring(&key);
    let payload = serde_json::to_string(&claims()).expect("json");
    for alg in ["none", "None", "NONE", "nOnE", "none ", ""] {
        let mut header = header(&key);
        header["alg"] = alg.into();
        let unsigned = format!("{}.{}.", segment(&header), URL_SAFE_NO_PAD.encode(&payload));
        assert!(ring.verify(&unsigned).is_err(), "{alg}");
        assert_eq!(
            ring.verify(&format!("{unsigned}AA")),
            Err(TokenError::Header),
            "{alg}"
        );
        assert_eq!(
            ring.verify(&signed(&key, &header, &payload)),
            Err(TokenError::Header),
            "{alg}"
        );
    }
}

#[test]
fn a_public_key_used_as_an_hmac_secret_is_refused() {
    let key = SigningKey::generate().expect("a key");
    for secret in [STANDARD.decode(key.public()).expect("base64"), Vec::new()] {
        let mut header = jsonwebtoken::Header::new(Algorithm::HS256);
        header.typ = Some("at+jwt".into());
        header.kid = Some(key.kid().into());
        let token = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(&secret))
            .expect("a token");
        assert_eq!(ring(&key).verify(&token), Err(TokenError::Header));
    }
}

#[test]
fn other_header_parameters_are_refused_even_under_a_good_signature() {
    let key = SigningKey::generate().expect("a key");
    let payload = serde_json::to_string(&claims()).expect("json");
    for (name, value) in [
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"})),
        ("jku", json!("https://keys.test/jwks.json")),
        ("x5u", json!("https://keys.test/cert.pem")),
        ("x5c", json!(["AA"])),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
    ] {
        let mut header = header(&key);
        header[name] = value;
        assert_eq!(
            ring(&key).verify(&signed(&key, &header, &payload)),
            Err(TokenError::Header),
            "{name}"
        );
    }
    for name in ["alg", "typ", "kid"] {
        let mut header = header(&key);
        header.as_object_mut().expect("an object").remove(name);
        assert_eq!(
            ring(&key).verify(&signed(&key, &header, &payload)),
            Err(TokenError::Header),
            "{name} missing"
        );
    }
    let mut header = header(&key);
    header["typ"] = "JWT".into();
    assert_eq!(
        ring(&key).verify(&signed(&key, &header, &payload)),
        Err(TokenError::Header)
    );
}

#[test]
fn a_kid_is_only_ever_looked_up() {
    let key = SigningKey::generate().expect("a key");
    let payload = serde_json::to_string(&claims()).expect("json");
    for kid in ["../../../../dev/null", "x' UNION SELECT 'AA", "", "\u{0}"] {
        let mut header = header(&key);
        header["kid"] = kid.into();
        assert_eq!(
            ring(&key).verify(&signed(&key, &header, &payload)),
            Err(TokenError::UnknownKey),
            "{kid}"
        );
    }
}

#[test]
fn a_signature_of_zeros_of_another_key_or_of_another_payload_is_refused() {
    let key = SigningKey::generate().expect("a key");
    let ring = ring(&key);
    let token = key.sign(&claims()).expect("a token");
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    for zeros in [0, 1, 32, 64, 96] {
        let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(vec![0; zeros]));
        assert!(ring.verify(&forged).is_err(), "{zeros} zero bytes");
    }
    let mut richer = claims();
    richer.tid = TenantId(2);
    let swapped = format!(
        "{}.{}.{signature}",
        segment(&header(&key)),
        URL_SAFE_NO_PAD.encode(serde_json::to_string(&richer).expect("json"))
    );
    assert_eq!(ring.verify(&swapped), Err(TokenError::Signature));
    let other = SigningKey::generate().expect("a key");
    let mut header = header(&other);
    header["kid"] = key.kid().into();
    let foreign = signed(
        &other,
        &header,
        &serde_json::to_string(&claims()).expect("json"),
    );
    assert_eq!(ring.verify(&foreign), Err(TokenError::Signature));
}

#[test]
fn claims_of_the_wrong_type_or_missing_are_refused() {
    let key = SigningKey::generate().expect("a key");
    let ring = ring(&key);
    let good = serde_json::to_value(claims()).expect("json");
    for name in [
        "iss", "aud", "sub", "jti", "tid", "kind", "scope", "iat", "nbf", "exp",
    ] {
        let mut payload = good.clone();
        payload.as_object_mut().expect("an object").remove(name);
        assert!(
            ring.verify(&signed(&key, &header(&key), &payload.to_string()))
                .is_err(),
            "{name} missing"
        );
        let mut payload = good.clone();
        payload[name] = Value::Null;
        assert!(
            ring.verify(&signed(&key, &header(&key), &payload.to_string()))
                .is_err(),
            "{name} null"
        );
    }
    for name in ["exp", "nbf", "iat"] {
        for value in [
            "\"1900000000\"",
            "1900000000.5",
            "1e30",
            "1000000000000000000000000000000",
            "true",
            "[]",
        ] {
            let mut payload = good.clone();
            payload[name] = "@".into();
            let payload = payload.to_string().replace("\"@\"", value);
            let answer = ring.verify(&signed(&key, &header(&key), &payload));
            assert_eq!(answer, Err(TokenError::Claims), "{name}: {value}");
        }
    }
    let mut payload = good.clone();
    payload["kind"] = "admin".into();
    assert_eq!(
        ring.verify(&signed(&key, &header(&key), &payload.to_string())),
        Err(TokenError::Claims)
    );
    let twice = good.to_string().replacen('{', "{\"tid\":2,", 1);
    assert_eq!(
        ring.verify(&signed(&key, &header(&key), &twice)),
        Err(TokenError::Claims),
        "a claim given twice"
    );
}

#[test]
fn another_issuer_or_audience_is_refused() {
    let key = SigningKey::generate().expect("a key");
    for (name, value) in [
        ("iss", json!("other")),
        ("aud", json!("other")),
        ("aud", json!(["rollcall"])),
        ("iss", json!(["rollcall"])),
    ] {
        let mut payload = serde_json::to_value(claims()).expect("json");
        payload[name] = value;
        assert!(
            ring(&key)
                .verify(&signed(&key, &header(&key), &payload.to_string()))
                .is_err(),
            "{name}"
        );
    }
}

#[test]
fn what_is_not_three_parts_is_refused() {
    let key = SigningKey::generate().expect("a key");
    let ring = ring(&key);
    let token = key.sign(&claims()).expect("a token");
    for text in [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d.e",
        &format!("{token}.a.b"),
        &format!(" {token}"),
    ] {
        assert!(ring.verify(text).is_err(), "{text}");
    }
    assert_eq!(
        ring.verify(&"a".repeat(1 << 20)),
        Err(TokenError::Malformed)
    );
    assert_eq!(
        KeyRing::default().verify(&token),
        Err(TokenError::UnknownKey)
    );
}

#[test]
fn time_has_thirty_seconds_of_leeway_on_both_ends() {
    let claims = claims();
    let at = |seconds: i64| claims.check_time(Instant(seconds * 1000));
    assert_eq!(at(claims.nbf - 31), Err(TokenError::NotYet));
    assert_eq!(at(claims.nbf - 30), Ok(()));
    assert_eq!(at(claims.exp + 29), Ok(()));
    assert_eq!(at(claims.exp + 30), Err(TokenError::Expired));
    let mut early = claims.clone();
    early.iat = claims.nbf + 31;
    assert_eq!(
        early.check_time(NOW),
        Err(TokenError::NotYet),
        "issued in the future"
    );
    let mut endless = claims.clone();
    endless.exp = i64::MAX;
    assert_eq!(endless.check_time(NOW), Ok(()), "no overflow");
}

#[test]
fn the_cache_is_bounded_and_keeps_what_came_last() {
    let mut cache = Cache::new(100);
    for n in 0..1000 {
        cache.put(&format!("token {n}"), n);
        assert!(cache.len() <= 100);
    }
    assert_eq!(cache.find("token 999"), Some(&999));
    assert_eq!(cache.find("token 0"), None);
    cache.retain(|n| *n != 999);
    assert_eq!(cache.find("token 999"), None);
}
