"""The page *Client imports*: routes, templates and what they show. Built only where it is served."""
