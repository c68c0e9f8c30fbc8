//! TLS: the certificate with which the server proves who it is.
//!
//! Not here: connections. Invariant: only TLS 1.2 and 1.3, with the ciphers that rustls thinks safe.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::ServeError;

/// Files in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate, and those between it and a known one.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Makes ready for TLS.
pub(super) fn acceptor(certificate: &Certificate) -> Result<TlsAcceptor, ServeError> {
    let Certificate { chain, key } = certificate;
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refused(chain, error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| refused(key, error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(chain, error))?;
    let mut config = config
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|error| refused(key, error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn refused(
    path: &std::path::Path,
    error: impl std::error::Error + Send + Sync + 'static,
) -> ServeError {
    ServeError::Certificate {
        path: path.to_owned(),
        source: Box::new(error),
    }
}
