"""Turns a finished answer into what the checkpoint keeps."""

from app.agents.turn import AnswerState, CitationState, UsageState
from core.conversations import Citation
from core.runs import Answer, Usage


def answer_to_state(answer: Answer) -> AnswerState:
    """Return an answer as plain JSON."""
    return AnswerState(
        message_id=answer.message_id,
        text=answer.text,
        citations=[_citation_to_state(citation) for citation in answer.citations],
        usage=[usage_to_state(usage) for usage in answer.usage],
    )


def _citation_to_state(citation: Citation) -> CitationState:
    return CitationState(
        number=citation.number,
        document_id=citation.document_id,
        document_name=citation.document_name,
        passage_id=citation.passage_id,
        page=citation.page,
        quote=citation.quote,
        start=citation.start,
        end=citation.end,
    )


def usage_to_state(usage: Usage) -> UsageState:
    """Return what one model call took as plain JSON."""
    return UsageState(
        provider=usage.provider,
        model=usage.model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )
