"""A small SAML provider: its metadata, and responses with a signed assertion."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from onelogin.saml2.utils import OneLogin_Saml2_Utils

NAME = "https://idp.example/saml"
SSO = "https://idp.example/sso"
SITE = "http://testserver/account/saml/company"


def _make_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return pem.decode(), made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Provider:
    """Its key, and who signs in next."""

    pair: tuple[str, str] = field(default_factory=_make_pair)
    subject: str = "eve@example.com"
    attributes: dict[str, list[str]] = field(default_factory=dict)
    audience: str = f"{SITE}/metadata/"
    age: timedelta = timedelta(0)

    @property
    def metadata(self) -> str:
        """What an administrator is given."""
        certificate = "".join(self.pair[1].splitlines()[1:-1])
        return (
            f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{NAME}">'
            '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
            '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
            f"<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"'
            f' Location="{SSO}"/></md:IDPSSODescriptor></md:EntityDescriptor>'
        )

    def respond(self, sent_to: str, *, pair: tuple[str, str] | None = None, is_signed: bool = True) -> str:
        """The form's field for what the browser was sent with, as the provider's page posts it."""
        asked = parse_qs(urlsplit(sent_to).query)["SAMLRequest"][0]
        request = ElementTree.fromstring(zlib.decompress(base64.b64decode(asked), -15))
        now = datetime.now(UTC) - self.age
        assertion = self._make_assertion(str(request.get("ID")), now)
        if is_signed:
            key, certificate = pair or self.pair
            assertion = OneLogin_Saml2_Utils.add_sign(assertion, key, certificate).decode()
        return base64.b64encode(
            (
                '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"'
                ' xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Version="2.0"'
                f' IssueInstant="{_time(now)}" Destination="{SITE}/acs/" InResponseTo="{request.get("ID")}">'
                f"<saml:Issuer>{NAME}</saml:Issuer><samlp:Status><samlp:StatusCode"
                ' Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
                f"{assertion}</samlp:Response>"
            ).encode()
        ).decode()

    def _make_assertion(self, request_id: str, now: datetime) -> str:
        end = _time(now + timedelta(minutes=5))
        said = "".join(
            f'<saml:Attribute Name="{escape(name)}">'
            + "".join(f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue>" for value in values)
            + "</saml:Attribute>"
            for name, values in {"mail": [self.subject], **self.attributes}.items()
        )
        return (
            '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a" Version="2.0"'
            f' IssueInstant="{_time(now)}"><saml:Issuer>{NAME}</saml:Issuer><saml:Subject>'
            f"<saml:NameID>{escape(self.subject)}</saml:NameID>"
            '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData'
            f' NotOnOrAfter="{end}" Recipient="{SITE}/acs/" InResponseTo="{request_id}"/></saml:SubjectConfirmation>'
            f'</saml:Subject><saml:Conditions NotBefore="{_time(now - timedelta(minutes=1))}" NotOnOrAfter="{end}">'
            f"<saml:AudienceRestriction><saml:Audience>{self.audience}</saml:Audience></saml:AudienceRestriction>"
            f'</saml:Conditions><saml:AuthnStatement AuthnInstant="{_time(now)}" SessionIndex="1"><saml:AuthnContext>'
            "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>"
            "</saml:AuthnContext></saml:AuthnStatement>"
            f"<saml:AttributeStatement>{said}</saml:AttributeStatement></saml:Assertion>"
        )


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
