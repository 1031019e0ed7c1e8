"""Events say whose account they come from.

moto: leaves `account` out of what it puts on a queue.
AWS: every event has it, a string of twelve digits.
Why it matters: whoever drains hosts looks there before he believes a message.

Source: EventBridge user guide, "AWS service event metadata".
"""

from moto.events.utils import EventTemplateParser


def close() -> None:
    """Add the field to the form that targets without a transformer get."""
    form: str = EventTemplateParser.DEFAULT_EVENT_INPUT_TEMPLATE
    if '"account"' not in form:
        EventTemplateParser.DEFAULT_EVENT_INPUT_TEMPLATE = form.replace(
            '"source":', '"account": "<account>", "source":'
        )
