//! The examples of the specifications, and what is refused.

use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};

use super::*;

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// [RFC 7518 appendix C](https://www.rfc-editor.org/rfc/rfc7518#appendix-C).
#[test]
fn the_agreed_key_is_that_of_rfc_7518_appendix_c() {
    let ephemeral = bytes("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
    let ephemeral = PrivateKey::from_private_key(&ECDH_P256, &ephemeral).unwrap();
    let mut bob = vec![4];
    bob.extend(bytes("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"));
    bob.extend(bytes("e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"));
    let bob = UnparsedPublicKey::new(&ECDH_P256, bob);
    let parties: [&[u8]; 2] = [b"Alice", b"Bob"];
    let key = agreement::agree(&ephemeral, bob, Unspecified, |secret| {
        derive(secret, "A128GCM", parties, 16)
    });
    assert_eq!(text(&key.unwrap()), "VqqN6vgjbSBcIijNcacQGg");
}

/// [RFC 7518 appendix B.1](https://www.rfc-editor.org/rfc/rfc7518#appendix-B.1).
#[test]
fn cbc_with_hmac_is_that_of_rfc_7518_appendix_b_1() {
    let key: Vec<u8> = (0..32).collect();
    let vector = [
        0x1a, 0xf3, 0x8c, 0x2d, 0xc2, 0xb9, 0x6f, 0xfd, 0xd8, 0x66, 0x94, 0x09, 0x23, 0x41, 0xbc,
        0x04,
    ];
    let plaintext = "A cipher system must not be required to be secret, and it must be able to \
                     fall into the hands of the enemy without inconvenience";
    let header = b"The second principle of Auguste Kerckhoffs";
    let enc = ContentEncryptionAlgorithm::A128CbcHs256;
    let sealed = seal(enc, &key, &vector, header, plaintext.as_bytes());
    let [ciphertext, tag] = sealed.unwrap();
    assert_eq!(ciphertext[..4], [0xc8, 0x0e, 0xdf, 0xa3]);
    assert_eq!(ciphertext.len(), 144);
    assert_eq!(ciphertext[140..], [0x3c, 0x82, 0xe2, 0xdb]);
    let expected = [
        0x65, 0x2c, 0x3f, 0xa3, 0x6b, 0x0a, 0x7c, 0x5b, 0x32, 0x19, 0xfa, 0xb3, 0xa3, 0x0b, 0xc1,
        0xc4,
    ];
    assert_eq!(tag, expected);
}

/// [RFC 7516 appendix A.1](https://www.rfc-editor.org/rfc/rfc7516#appendix-A.1).
#[test]
fn gcm_is_that_of_rfc_7516_appendix_a_1() {
    let key = [
        177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246, 138, 7, 110,
        91, 112, 46, 34, 105, 47, 130, 203, 46, 122, 234, 64, 252,
    ];
    let header = b"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ";
    let plaintext = b"The true sign of intelligence is not knowledge but imagination.";
    let vector = bytes("48V1_ALb6US04U3b");
    let enc = ContentEncryptionAlgorithm::A256Gcm;
    let sealed = seal(enc, &key, &vector, header, plaintext).unwrap();
    let expected =
        "5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A";
    assert_eq!(
        sealed.map(|part| text(&part)),
        [expected, "XFBoMYUZodetZdvTiFvSkQ"]
    );
}

/// [RFC 7516 appendix A.3](https://www.rfc-editor.org/rfc/rfc7516#appendix-A.3).
#[test]
fn a_wrapped_key_and_what_it_encrypts_are_those_of_rfc_7516_appendix_a_3() {
    let key = [
        4, 211, 31, 197, 84, 157, 252, 254, 11, 100, 157, 250, 63, 170, 106, 206, 107, 124, 212,
        45, 111, 107, 9, 219, 200, 177, 0, 240, 143, 156, 44, 207,
    ];
    let wrapped = wrap(&key_wrap::AES_128, &bytes("GawgguFyGrWKav7AX4VKUg"), &key);
    let expected = "6KB707dM9YTIgHtLvtgWQ8mKwboJW3of9locizkDTHzBC2IlrT1oOQ";
    assert_eq!(text(&wrapped.unwrap()), expected);

    let header = b"eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0";
    let vector = bytes("AxY8DCtDaGlsbGljb3RoZQ");
    let enc = ContentEncryptionAlgorithm::A128CbcHs256;
    let sealed = seal(enc, &key, &vector, header, b"Live long and prosper.").unwrap();
    let expected = "KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY";
    assert_eq!(
        sealed.map(|part| text(&part)),
        [expected, "U0m_YmjN04DJvceFICbCVQ"]
    );
}

#[test]
fn no_key_and_no_vector_is_used_twice() {
    let jwk = serde_json::json!({
        "kty": "EC", "crv": "P-256",
        "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    });
    let key = EncryptionKey::from_jwk(jwk.as_object().unwrap()).unwrap();
    let content = Content::Claims("{}".to_owned());
    for alg in [
        KeyManagementAlgorithm::EcdhEs,
        KeyManagementAlgorithm::EcdhEsA128Kw,
    ] {
        let enc = ContentEncryptionAlgorithm::A256Gcm;
        let encrypted = [(); 2].map(|()| encrypt(&key, Encryption { alg, enc }, &content).unwrap());
        let parts = |index: usize| encrypted.each_ref().map(|it| it.split('.').nth(index));
        for index in [0, 2, 3, 4] {
            let [one, other] = parts(index);
            assert_ne!(one, other, "{alg}: part {index}");
        }
        let [one, other] = parts(1);
        assert_eq!(one == other, alg == KeyManagementAlgorithm::EcdhEs);
    }
    // A key of one kind does nothing under the algorithms of another.
    let enc = ContentEncryptionAlgorithm::default();
    for alg in [
        KeyManagementAlgorithm::RsaOaep,
        KeyManagementAlgorithm::RsaOaep256,
    ] {
        let refused = encrypt(&key, Encryption { alg, enc }, &content);
        assert_eq!(refused, Err(KeyError::Encryption(alg)));
    }
}
