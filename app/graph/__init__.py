"""The graph: who speaks next. All LangGraph code is here."""
