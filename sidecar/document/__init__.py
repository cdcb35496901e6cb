"""From the bytes of a workspace.yjs to a Workspace. The only user of pycrdt."""
