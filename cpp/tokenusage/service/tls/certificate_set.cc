// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/tls/certificate_set.h"

#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "openssl/asn1.h"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/evp.h"
#include "openssl/pem.h"
#include "openssl/x509v3.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"

namespace tokenusage {
namespace {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using TlsContext = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;

// Clears OpenSSL's errors at the end of a scope: they would stay in a queue of
// the thread.
struct ErrorScope {
  ~ErrorScope() { ERR_clear_error(); }
};

Bio BioOf(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

absl::Status Invalid(const std::string& what) {
  return absl::InvalidArgumentError(what);
}

// Keeps OpenSSL from asking for a passphrase at the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

absl::StatusOr<std::vector<Certificate>> ParseCertificates(
    const std::string& what, const std::string& pem) {
  const ErrorScope errors;
  const Bio bio = BioOf(pem);
  std::vector<Certificate> certificates;
  for (;;) {
    Certificate certificate(
        PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
    if (certificate == nullptr) break;
    certificates.push_back(std::move(certificate));
  }
  // At the end of the text, OpenSSL reports that no block starts.
  const auto error = ERR_peek_last_error();
  if (ERR_GET_LIB(error) == ERR_LIB_PEM &&
      ERR_GET_REASON(error) == PEM_R_NO_START_LINE && !certificates.empty()) {
    return certificates;
  }
  return Invalid(absl::StrCat(
      what, ": expected certificates in PEM, found ",
      certificates.empty()
          ? "none"
          : absl::StrCat(certificates.size(), " and then something else")));
}

absl::StatusOr<PrivateKey> ParseKey(const std::string& pem) {
  const ErrorScope errors;
  const Bio bio = BioOf(pem);
  PrivateKey key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  if (key != nullptr) return key;
  return Invalid(
      "the private key: expected one in PEM without a passphrase, found none");
}

absl::StatusOr<absl::Time> TimeOf(const ASN1_TIME* time) {
  std::tm parts;
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return Invalid("the certificate: its times cannot be read");
  }
  return absl::FromCivil(
      absl::CivilSecond(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                        parts.tm_hour, parts.tm_min, parts.tm_sec),
      absl::UTCTimeZone());
}

// Returns OK if the certificate is valid at `now`, otherwise the reason why it
// is not.
absl::Status CheckTimes(const X509& certificate, absl::Time now) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const absl::Time start,
                              TimeOf(X509_get0_notBefore(&certificate)));
  TOKENUSAGE_ASSIGN_OR_RETURN(const absl::Time end,
                              TimeOf(X509_get0_notAfter(&certificate)));
  const absl::TimeZone utc = absl::UTCTimeZone();
  if (now < start) {
    return Invalid(absl::StrCat("the certificate is not valid before ",
                                absl::FormatTime(start, utc)));
  }
  if (now > end) {
    return Invalid(absl::StrCat("the certificate expired at ",
                                absl::FormatTime(end, utc)));
  }
  return absl::OkStatus();
}

absl::Status CheckChain(const std::vector<Certificate>& chain) {
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (X509_check_issued(chain[i].get(), chain[i - 1].get()) != X509_V_OK) {
      return Invalid(
          absl::StrCat("the certificate: number ", i + 1,
                       " in its file did not issue the one before it"));
    }
  }
  return absl::OkStatus();
}

// Returns a context with the certificates and the key, or null and the reason
// in OpenSSL's queue.
TlsContext ContextOf(const std::vector<Certificate>& chain, EVP_PKEY* key) {
  TlsContext context(SSL_CTX_new(TLS_method()));
  bool taken = context != nullptr &&
               SSL_CTX_use_certificate(context.get(), chain[0].get()) == 1 &&
               SSL_CTX_use_PrivateKey(context.get(), key) == 1;
  for (std::size_t i = 1; taken && i < chain.size(); ++i) {
    taken = SSL_CTX_add1_chain_cert(context.get(), chain[i].get()) == 1;
  }
  return taken ? std::move(context) : nullptr;
}

// Loads the certificates and the key as gRPC will do: gRPC does not say why it
// fails.
absl::Status CheckTakenByTls(const std::vector<Certificate>& chain,
                             EVP_PKEY* key) {
  const ErrorScope errors;
  if (ContextOf(chain, key) != nullptr) return absl::OkStatus();
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  return Invalid(absl::StrCat("the certificate: the TLS library rejects it: ",
                              reason == nullptr ? "unknown" : reason));
}

absl::Status CheckClientCa(const std::string& pem, absl::Time now) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto trusted,
                              ParseCertificates("the client CA", pem));
  for (const Certificate& certificate : trusted) {
    if (CheckTimes(*certificate, now).ok()) return absl::OkStatus();
  }
  return Invalid("the client CA: none of its certificates is valid now");
}

// Makes `context` ask clients for certificates signed by the CAs in `pem`.
// Returns whether `pem` could be read.
bool AskClients(const std::string& pem, ClientCertificate clients,
                SSL_CTX* context) {
  const auto trusted = ParseCertificates("the client CA", pem);
  if (!trusted.ok()) return false;
  for (const Certificate& certificate : *trusted) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
    SSL_CTX_add_client_CA(context, certificate.get());
  }
  const int required = clients == ClientCertificate::kRequired
                           ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                           : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
  return true;
}

// Chooses HTTP/1.1 of the protocols that a client offers.
int ChooseHttp11(SSL*, const unsigned char** chosen, unsigned char* size,
                 const unsigned char* offered, unsigned int offered_size,
                 void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, kHttp11, sizeof(kHttp11) - 1, offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

std::string TextOf(const ASN1_STRING* text) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<std::size_t>(ASN1_STRING_length(text)));
}

}  // namespace

absl::StatusOr<CertificateSet> CheckCertificates(std::string certificate,
                                                 std::string key,
                                                 std::string client_ca,
                                                 absl::Time now) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const auto chain, ParseCertificates("the certificate", certificate));
  TOKENUSAGE_ASSIGN_OR_RETURN(const PrivateKey private_key, ParseKey(key));
  const ErrorScope errors;
  if (X509_check_private_key(chain[0].get(), private_key.get()) != 1) {
    return Invalid("the private key is not that of the certificate");
  }
  TOKENUSAGE_RETURN_IF_ERROR(CheckTimes(*chain[0], now));
  TOKENUSAGE_RETURN_IF_ERROR(CheckChain(chain));
  TOKENUSAGE_RETURN_IF_ERROR(CheckTakenByTls(chain, private_key.get()));
  if (!client_ca.empty()) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckClientCa(client_ca, now));
  }
  CertificateSet set;
  TOKENUSAGE_ASSIGN_OR_RETURN(set.expires,
                              TimeOf(X509_get0_notAfter(chain[0].get())));
  set.certificate = std::move(certificate);
  set.key = std::move(key);
  set.client_ca = std::move(client_ca);
  return set;
}

absl::StatusOr<CertificateSet> LoadCertificateSet(const CertificatePaths& paths,
                                                  absl::Time now) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string certificate,
                              ReadFile(paths.certificate));
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string key, ReadFile(paths.key));
  std::string client_ca;
  if (!paths.client_ca.empty()) {
    TOKENUSAGE_ASSIGN_OR_RETURN(client_ca, ReadFile(paths.client_ca));
    if (client_ca.empty()) {
      return Invalid(
          absl::StrCat("the client CA ", paths.client_ca, " is an empty file"));
    }
  }
  auto set = CheckCertificates(std::move(certificate), std::move(key),
                               std::move(client_ca), now);
  if (set.ok()) return set;
  return absl::Status(
      set.status().code(),
      absl::StrCat(set.status().message(), " (certificate ", paths.certificate,
                   ", key ", paths.key,
                   paths.client_ca.empty() ? "" : ", client CA ",
                   paths.client_ca, ")"));
}

std::shared_ptr<SSL_CTX> NewTlsContext(const CertificateSet& set,
                                       ClientCertificate clients) {
  const ErrorScope errors;
  const auto chain = ParseCertificates("the certificate", set.certificate);
  const auto key = ParseKey(set.key);
  if (!chain.ok() || !key.ok()) return nullptr;
  TlsContext context = ContextOf(*chain, key->get());
  if (context == nullptr) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_alpn_select_cb(context.get(), &ChooseHttp11, nullptr);
  // A session that is resumed would outlive the certificates of a reload.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  if (clients != ClientCertificate::kNone &&
      !AskClients(set.client_ca, clients, context.get())) {
    return nullptr;
  }
  return std::shared_ptr<SSL_CTX>(std::move(context));
}

std::vector<std::string> CertificateNames(const X509& certificate) {
  using Names = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;
  const Names alternatives(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(const_cast<X509*>(&certificate), NID_subject_alt_name,
                       nullptr, nullptr)));
  std::vector<std::string> names;
  for (const auto& [type, scheme] :
       {std::pair(GEN_URI, "uri:"), std::pair(GEN_DNS, "dns:")}) {
    for (int i = 0;
         i < static_cast<int>(sk_GENERAL_NAME_num(alternatives.get())); ++i) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
      // URIs and DNS names are the same member of the union.
      if (name->type == type) names.push_back(scheme + TextOf(name->d.ia5));
    }
  }
  const X509_NAME* subject =
      X509_get_subject_name(const_cast<X509*>(&certificate));
  const int at = X509_NAME_get_index_by_NID(const_cast<X509_NAME*>(subject),
                                            NID_commonName, -1);
  if (at >= 0) {
    names.push_back("cn:" + TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(
                                const_cast<X509_NAME*>(subject), at))));
  }
  return names;
}

}  // namespace tokenusage
