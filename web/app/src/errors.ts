// SPDX-License-Identifier: Apache-2.0
// Every message that the client itself says. What the server says is shown in its own words.
import { ApiError } from "@larmor/graph";

export interface Message {
  text: string;
  advice?: string;
}

export const messages = {
  offline: { text: "The connection to the server is lost", advice: "Trying again. Edits are kept and sent when it is back." },
  refused: (label: string) => ({ text: `The server refused “${label}”; it was taken back` }),
  conflict: (label: string) => ({ text: `“${label}” no longer applies`, advice: "Somebody else has changed the graph meanwhile; it has been loaded again." }),
  fallen: (label: string) => ({ text: `“${label}” was taken back, because it needed an edit that is gone` }),
  reloaded: { text: "The graph was loaded again from the server" },
  noClip: { text: "The clipboard holds no piece of a graph", advice: "Copy nodes first, or the text of a graph file." },
  clipboardDenied: { text: "The browser does not let this page use the clipboard", advice: "Nodes can still be pasted in this window." },
  notHere: (what: string) => ({ text: `${what} is not in this graph any more` }),
  notOpen: { text: "The graph of this address is not open", advice: "It was closed, or Studio has started anew since: open its file again." },
  closed: (name: string) => ({ text: `“${name}” was closed on the server` }),
  noOperation: (name: string) => ({ text: `No operation opens “${name}”`, advice: "Add an operation that reads files and choose the file in its form." }),
  doesNotFit: (file: string, type: string, input: string, wanted: string) => ({ text: `“${file}” is read as ${type.toLowerCase()}, and ${input} needs ${wanted.toLowerCase()}`, advice: "Choose another file, or add an operation that reads it and convert its value." }),
  noUndo: { text: "There is nothing to undo" },
  noRedo: { text: "There is nothing to redo" },
  shipped: (title: string) => ({ text: `“${title}” comes with Larmor and cannot be changed here`, advice: "“Copy into this graph”, above the canvas, makes it one of yours" }),
  cannotEnter: { text: "This graph is not part of the document, so it cannot be opened here" },
  token: { text: "This server asks for a token", advice: "It was printed when larmor studio started." },
  badToken: { text: "The server does not take this token" },
  failed: { text: "This part could not be shown" },
  noValue: { text: "No value yet", advice: "Run the graph, or run to this node." },
} as const;

/** Any error as words: the server's own, or what the browser says. */
export function say(error: unknown): Message {
  if (error instanceof ApiError) return { text: error.message, advice: error.advice || undefined };
  if (error instanceof Error) return { text: error.message };
  return { text: String(error) };
}
