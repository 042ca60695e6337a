"""What other programs call the fields of a client, as data (SPEC.md section 3).

The published names of a field stand in the Pandera model and are the ones shown to people. Here stand the names that
Outlook, Google Contacts, Thunderbird, Mailchimp, LinkedIn, HubSpot, Salesforce, Odoo, directories (LDAP) and CRMs in
English, German, French, Spanish, Italian and Dutch write into their files. Case, spaces, `_`, `-` and accents do not
matter, so each name stands here once, in its full spelling.

Nothing here loads pandas: Airflow reads feed files, and with them this file, every few seconds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

# What a feed says under `columns` instead of a field: the column is the partner's own, and left out without a warning.
IGNORE = "ignore"
LONGEST_NAME = 100  # characters; a longer one is no name of a field

# fmt: off
# Understood without a word in the feed. Only what can mean nothing else belongs here: a column taken by mistake changes
# clients. `E-mail 1 - Value` is a person's first address; `E-mail 2 Address` and the like are no field.
# Fields whose cells have a form of their own (ID, Active, Type, Created ...) have no names here: the cells of another
# program would fail the rows.
UNDERSTOOD: Mapping[str, Sequence[str]] = {
    "first_name": (
        "Given Name", "Given Names", "First Names", "Forename", "Forenames",
        "FNAME",                                                  # Mailchimp's merge tag
        "Vorname", "Vornamen",                                    # German
        "Prénom", "Prénoms", "Prénom(s)",                         # French
        "Primer nombre", "Nombre de pila",                        # Spanish
        "Nome di battesimo",                                      # Italian
        "Voornaam", "Voornamen",                                  # Dutch
    ),
    "middle_name": (
        "Middle Names", "Additional Name",                        # Google Contacts until 2024
        "Weitere Vornamen", "Zweiter Vorname", "Mittelname",      # German; the first is Outlook's
        "Deuxième prénom", "Second prénom", "Autres prénoms",     # French
        "Segundo nombre",                                         # Spanish
        "Secondo nome",                                           # Italian
        "Middelste naam", "Tweede voornaam",                      # Dutch; the first is Outlook's
    ),
    "last_name": (
        "Surname", "Family Name", "Last Names",
        "LNAME",                                                  # Mailchimp's merge tag
        "Nachname", "Familienname", "Zuname",                     # German
        "Nom de famille",                                         # French
        "Apellido", "Apellidos", "Apellido(s)",                   # Spanish
        "Cognome",                                                # Italian
        "Achternaam", "Familienaam",                              # Dutch
    ),
    "email": (
        "E-mail Address", "Mail",                                 # Outlook, LinkedIn, Mailchimp; LDAP
        "Primary Email", "Primary Email Address",                 # Thunderbird
        "E-mail 1 - Value",                                       # Google Contacts
        "E-Mail-Adresse", "Mailadresse", "Primäre E-Mail-Adresse",                                        # German
        "Adresse e-mail", "Adresse mail", "Adresse électronique", "Adresse électronique principale",      # French
        "Adresse de messagerie", "Adresse de courriel", "Adresse courriel", "Courriel", "Courrier électronique",
        "E-mail principal", "Adresse e-mail principale",
        "Correo", "Correo electrónico", "Correo electrónico principal",                                   # Spanish
        "Dirección de correo", "Dirección de correo electrónico", "Dirección de correo electrónico principal",
        "Dirección de e-mail", "Dirección e-mail",
        "Indirizzo e-mail", "Indirizzo mail", "Indirizzo di posta elettronica", "Posta elettronica",      # Italian
        "Indirizzo posta elettronica", "E-mail primaria", "E-mail principale", "Indirizzo e-mail principale",
        "E-mailadres", "Mailadres", "Primair e-mailadres",                                                # Dutch
    ),
    "username": (
        "Benutzername", "Nom d'utilisateur", "Nom d’utilisateur", "Nombre de usuario", "Nome utente", "Gebruikersnaam",
    ),
}

# Words that mean a field only beside another column: `Nom` is the last name where `Prénom` stands beside it, and may be
# a whole name where it does not. Each word: the field, and the columns one of which must be there.
UNDERSTOOD_BESIDE: Mapping[str, tuple[str, Sequence[str]]] = {
    "Name": ("last_name", ("Vorname", "Vornamen")),
    "Nom": ("last_name", ("Prénom", "Prénoms", "Prénom(s)")),
    "Nome": ("first_name", ("Cognome",)),
    "Nombre": ("first_name", ("Apellido", "Apellidos", "Apellido(s)", "Primer apellido")),
    "Nombres": ("first_name", ("Apellido", "Apellidos", "Apellido(s)", "Primer apellido")),
    "Nombre(s)": ("first_name", ("Apellido", "Apellidos", "Apellido(s)", "Primer apellido")),
}

# Often a person's whole name in one cell: suggested for the first name, with the advice to split it.
WHOLE_NAMES: Sequence[str] = (
    "Name", "Names", "Full Name", "Display Name", "Person", "Contact", "Contact Name", "Contact Person",
    "Client", "Client Name", "Customer", "Customer Name", "First and Last Name", "First Name Last Name", "Name Surname",
    "Vollständiger Name", "Vor- und Nachname", "Vorname Nachname", "Name, Vorname", "Anzeigename", "Kontakt",
    "Kontaktname", "Ansprechpartner", "Kunde", "Kundenname",
    "Nom", "Nom complet", "Nom et prénom", "Nom Prénom", "Prénom et nom", "Prénom Nom", "Nom à afficher",
    "Nom du contact", "Nom du client",
    "Nombre", "Nombres", "Nombre(s)", "Nombre completo", "Nombre y apellidos", "Apellidos y nombre",
    "Contacto", "Cliente", "Nombre del contacto", "Nombre del cliente",
    "Nome", "Nome completo", "Nome e cognome", "Nome Cognome", "Cognome e nome", "Nominativo", "Nome visualizzato",
    "Contatto",
    "Naam", "Volledige naam", "Weergavenaam", "Voor- en achternaam", "Contactpersoon", "Klant", "Klantnaam",
)

# Names that may mean a field, or something else: a message asks, and a person decides.
SUGGESTED: Mapping[str, Sequence[str]] = {
    "id": ("Client ID", "Client Identifier"),
    "first_name": ("First", "Preferred Name", "Rufname", "Roepnaam"),
    "middle_name": ("Middle", "Second First Name", "Tweede naam"),
    "last_name": (
        "Last", "Second Name", "Nom", "Naam", "Patronyme", "Primer apellido", "Apellido paterno",
    ),
    "email": (
        "E-mail ID", "Mail Address", "Mél", "Messagerie", "E-Post", "Work Email", "Business Email", "Personal Email",
    ),
    "username": (
        "User", "User ID", "Login", "Login Name", "Screen Name", "Benutzer", "Benutzerkennung", "Anmeldename",
        "Identifiant", "Usuario", "Utente", "Gebruiker",
    ),
    "project": ("Projekt", "Projet", "Proyecto", "Progetto"),
    "active": ("Is Active", "Enabled", "Aktiv", "Actif", "Activo", "Attivo", "Actief"),
    "type": (
        "Client Type", "Customer Type", "Kundentyp", "Kundenart", "Type de client", "Tipo", "Tipo de cliente",
        "Tipo cliente", "Klanttype",
    ),
    "created": (
        "Created At", "Created On", "Created Date", "Create Date", "Date Created", "Creation Date",
        "Customer Since", "Client Since", "Registration Date",
        "Erstellt", "Erstellt am", "Erstelldatum", "Erstellungsdatum", "Angelegt", "Angelegt am", "Anlagedatum",
        "Kunde seit", "Registriert am",
        "Créé le", "Date de création", "Date d'inscription", "Client depuis",
        "Creado", "Creado el", "Fecha de creación", "Fecha de alta", "Fecha de registro", "Cliente desde",
        "Creato il", "Data creazione", "Data di creazione", "Data di registrazione", "Cliente dal",
        "Aangemaakt", "Aangemaakt op", "Aanmaakdatum", "Klant sinds", "Registratiedatum",
    ),
}

# Words that make of a field's name the name of something else: `E-mail Type`, `Phonetic First Name`, `Email Domain`.
ABOUT_A_FIELD: Sequence[str] = (
    "type", "typ", "tipo", "label", "phonetic", "yomi", "display", "status", "domain", "verified", "opt", "count",
    "angezeigter", "visualizzato", "weergavenaam",
)
# fmt: on


def normal(name: str) -> str:
    """Give the form in which names are compared."""
    if len(name) > LONGEST_NAME:
        return name
    return re.sub(r"[\s_\-\u200b\ufeff]+", "", unicodedata.normalize("NFC", name)).casefold()


def forms(names: Sequence[str]) -> frozenset[str]:
    """Give the normal forms of these names, with their accents and without: people leave them out."""
    return frozenset(normal(spelling) for name in names for spelling in (name, _without_accents(name)))


def _without_accents(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
