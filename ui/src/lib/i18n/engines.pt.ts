/** Portuguese: who answers, what is sent, consent. Part of the catalogue in `pt.ts`. */
import type { engines as spanish } from "./engines.es";
import type { Catalogue } from "./es";

export const engines: Pick<Catalogue, keyof typeof spanish> = {
  unavailable: {
    reading: "Ler letra à mão ou uma foto precisa do servidor da escola ou do Cloud Boost.",
    text: {
      installModel: "Traga um modelo para este computador e volte.",
      chooseEngine: "Em Ajustes se escolhe quem faz.",
      enterKey: "A chave fica em Ajustes.",
      agree: "Antes do primeiro envio, você vê o que sai deste computador.",
      enterServer: "O endereço fica em Ajustes.",
      chooseServerModel: "Em Ajustes se escolhe outro modelo do servidor.",
      askAnAdult: "Uma pessoa adulta pode ligar isso no perfil dela.",
      connect: "Conecte este computador à rede e tente de novo.",
      retry: "Tente de novo daqui a pouco.",
    },
    button: {
      installModel: "Trazer um modelo",
      chooseEngine: "Escolher quem responde",
      enterKey: "Pôr a chave",
      agree: "Ver o que é enviado",
      enterServer: "Pôr o endereço",
      chooseServerModel: "Escolher o modelo",
      askAnAdult: "Pedir ajuda",
      connect: "Tentar de novo",
      retry: "Tentar de novo",
    },
  },
  send: {
    title: "O que é enviado",
    link: "Ver o que é enviado",
    to: (host) => `Vai para ${host}.`,
    here: "Fica neste computador.",
    roles: { system: "Instruções", user: "O que se pede", assistant: "Resposta do tutor" },
    image: "A imagem",
    clean: "Sem lugar, data nem dados da câmera.",
    nothingElse: "Nada mais sai deste computador.",
    consent: "Antes falta a permissão de uma pessoa adulta.",
    loading: "Preparando…",
  },
  consent: {
    title: "Antes de usar o Cloud Boost",
    lead: "O Cloud Boost envia pela internet o que você pede a um modelo maior do Google, com a sua própria chave.",
    points: [
      "É só para maiores de 18 anos que preparam material ou aprendem por conta própria. Não é para estudantes.",
      "Com uma chave gratuita, o Google pode usar o que é enviado e o que volta para melhorar os produtos dele, e há pessoas que podem ler.",
      "Não escreva nomes nem dados pessoais, e não envie fotos em que apareça alguém.",
      "No Espaço Econômico Europeu, no Reino Unido e na Suíça só é permitido com uma chave paga.",
    ],
    goes: (host) => `Cada pedido vai para ${host}, e só quando alguém pede.`,
    example: "Um exemplo: isto sai ao pedir um quiz",
    exampleTopic: "as fases da Lua",
    check: "Tenho 18 anos ou mais, li isto e concordo.",
    agree: "Permitir o Cloud Boost",
    first: "Falta marcar a caixa",
  },
};
