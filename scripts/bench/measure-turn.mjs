/**
 * One turn with everything that can be counted of it. Until the answer is there, and until all is written:
 * milliseconds by the clock, and of the CPU of this process with all its threads. Requests and the bytes of their bodies
 * as the server counted them, those up to the model's answer and all.
 *
 * @throws when the model was not shown the whole conversation: then two contestants would not do the same.
 */
export async function measureTurn(conversation, server) {
  await server.take();
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await conversation.turn();
  const answered = performance.now();
  const answeredCpu = process.cpuUsage(cpu);
  await conversation.settled();
  const written = performance.now();
  const writtenCpu = process.cpuUsage(cpu);
  const { served, wire, cpu: serverCpu } = await server.take();
  const asked = served.findLastIndex(({ operation }) => operation === 'responses.create');
  const { turns } = conversation;
  const failed = served.find(({ status }) => status !== 200);
  if (failed !== undefined) throw new Error(`bench: ${failed.operation} was answered with ${failed.status}`);
  if (served[asked]?.context !== turns * 2 - 1) {
    throw new Error(`bench: in turn ${turns} the model saw ${served[asked]?.context} items`);
  }
  const before = served.slice(0, asked + 1);
  return {
    turn: turns,
    wall: answered - begun,
    wallWritten: written - begun,
    cpu: milliseconds(answeredCpu),
    cpuWritten: milliseconds(writtenCpu),
    requests: before.length,
    requestsWritten: served.length,
    up: sum(before, 'up'),
    upWritten: sum(served, 'up'),
    down: sum(before, 'down'),
    downWritten: sum(served, 'down'),
    wireUp: wire.up,
    wireDown: wire.down,
    serverCpu: milliseconds(serverCpu),
  };
}

function milliseconds({ user, system }) {
  return (user + system) / 1000;
}

function sum(served, key) {
  return served.reduce((total, one) => total + one[key], 0);
}
