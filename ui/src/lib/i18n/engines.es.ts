/** Spanish: who answers, what is sent, consent. Part of the catalogue in `es.ts`. */
import type { Unlock } from "$lib/backend";

export const engines = {
  unavailable: {
    reading: "Leer letra a mano o una foto necesita el servidor del colegio o Cloud Boost.",
    text: {
      installModel: "Trae un modelo a este equipo y vuelve.",
      chooseEngine: "En Ajustes se elige quién lo hace.",
      enterKey: "La clave se pone en Ajustes.",
      agree: "Antes del primer envío se ve qué sale de este equipo.",
      enterServer: "Su dirección se pone en Ajustes.",
      chooseServerModel: "En Ajustes se elige otro modelo del servidor.",
      askAnAdult: "Una persona adulta puede encenderlo desde su perfil.",
      connect: "Conecta este equipo a la red y prueba otra vez.",
      retry: "Prueba otra vez en un momento.",
    } satisfies Record<Unlock, string>,
    button: {
      installModel: "Traer un modelo",
      chooseEngine: "Elegir quién responde",
      enterKey: "Poner la clave",
      agree: "Ver qué se envía",
      enterServer: "Poner la dirección",
      chooseServerModel: "Elegir el modelo",
      askAnAdult: "Pedir ayuda",
      connect: "Probar otra vez",
      retry: "Probar otra vez",
    } satisfies Record<Unlock, string>,
  },
  send: {
    title: "Qué se envía",
    link: "Ver qué se envía",
    to: (host: string) => `Va a ${host}.`,
    here: "Se queda en este equipo.",
    roles: { system: "Instrucciones", user: "Lo que se pide", assistant: "Respuesta del tutor" },
    image: "La imagen",
    clean: "Sin lugar, fecha ni datos de la cámara.",
    nothingElse: "Nada más sale de este equipo.",
    consent: "Antes falta el permiso de una persona adulta.",
    loading: "Preparando…",
  },
  consent: {
    title: "Antes de usar Cloud Boost",
    lead: "Cloud Boost envía por internet lo que pides a un modelo más grande de Google, con tu propia clave.",
    points: [
      "Es solo para mayores de 18 años que preparan material o aprenden por su cuenta. No es para estudiantes.",
      "Con una clave gratuita, Google puede usar lo que se envía y lo que contesta para mejorar sus productos, y hay personas que pueden leerlo.",
      "No escribas nombres ni datos personales, y no envíes fotos donde se vea a alguien.",
      "En el Espacio Económico Europeo, el Reino Unido y Suiza solo se permite con una clave de pago.",
    ],
    goes: (host: string) => `Cada pedido va a ${host}, y solo cuando alguien lo pide.`,
    example: "Un ejemplo: esto sale al pedir un quiz",
    exampleTopic: "las fases de la Luna",
    check: "Tengo 18 años o más, leí esto y estoy de acuerdo.",
    agree: "Permitir Cloud Boost",
    first: "Falta marcar la casilla",
  },
};
