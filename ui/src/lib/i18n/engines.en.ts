/** English: who answers, what is sent, consent. Part of the catalogue in `en.ts`. */
import type { engines as spanish } from "./engines.es";
import type { Catalogue } from "./es";

export const engines: Pick<Catalogue, keyof typeof spanish> = {
  unavailable: {
    reading: "Reading handwriting or a photo needs the school server or Cloud Boost.",
    text: {
      installModel: "Bring a model to this computer and come back.",
      chooseEngine: "Who does it is chosen in Settings.",
      enterKey: "The key goes in Settings.",
      agree: "Before the first request you see what leaves this computer.",
      enterServer: "Its address goes in Settings.",
      chooseServerModel: "Another of the server's models is chosen in Settings.",
      askAnAdult: "An adult can switch it on from their profile.",
      connect: "Connect this computer to the network and try again.",
      retry: "Try again in a moment.",
    },
    button: {
      installModel: "Bring a model",
      chooseEngine: "Choose who answers",
      enterKey: "Enter the key",
      agree: "See what is sent",
      enterServer: "Enter the address",
      chooseServerModel: "Choose the model",
      askAnAdult: "Ask for help",
      connect: "Try again",
      retry: "Try again",
    },
  },
  send: {
    title: "What is sent",
    link: "See what is sent",
    to: (host) => `It goes to ${host}.`,
    here: "It stays on this computer.",
    roles: { system: "Instructions", user: "What is asked", assistant: "The tutor's answer" },
    image: "The picture",
    clean: "Without place, date or camera data.",
    nothingElse: "Nothing else leaves this computer.",
    consent: "An adult has to agree first.",
    loading: "Preparing…",
  },
  consent: {
    title: "Before using Cloud Boost",
    lead: "Cloud Boost sends what you ask over the internet to a larger model at Google, with your own key.",
    points: [
      "It is only for people aged 18 or older who prepare material or learn by themselves. It is not for pupils.",
      "With an unpaid key, Google may use what is sent and what comes back to improve its products, and people may read it.",
      "Write no names or personal data, and send no photos that show anybody.",
      "In the European Economic Area, the United Kingdom and Switzerland it is allowed only with a paid key.",
    ],
    goes: (host) => `Each request goes to ${host}, and only when somebody asks for it.`,
    example: "An example: this is sent to make a quiz",
    exampleTopic: "the phases of the Moon",
    check: "I am 18 or older, I have read this and I agree.",
    agree: "Allow Cloud Boost",
    first: "Tick the box first",
  },
};
