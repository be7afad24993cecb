"""The forms of the wire, one module for each capability; a form's class name is its name in the OpenAPI document."""
