"""The page *Clients*: routes, templates and what they show. Built only where it is served."""
