// A triage agent that hands over to billing, and a tool that asks before it pays.
import { Agent, tool } from '@openai/agents';
import { z } from 'zod';

const ORDERS = new Map([
  ['1001', { orderId: '1001', item: 'Lamp', total: '49.00 EUR', state: 'delivered' }],
  ['1002', { orderId: '1002', item: 'Chair', total: '120.00 EUR', state: 'on its way' }],
]);
const parameters = z.object({ orderId: z.string() });

/** @returns the agents by their names. */
export function createAgents({ query }, model = 'gpt-5.4') {
  const getOrder = tool({
    name: 'get_order',
    description: 'The item, total and state of an order',
    parameters,
    execute: ({ orderId }) => ORDERS.get(orderId) ?? { orderId, state: 'unknown' },
  });
  const refundOrder = tool({
    name: 'refund_order',
    description: 'Pays an order back',
    parameters,
    needsApproval: true,
    async execute({ orderId }, _context, { toolCall }) {
      // A process can die between the payment and the record of it: the call's ID makes the second try harmless.
      await query(
        'INSERT INTO chat_refunds (call_id, order_id) VALUES ($1, $2) ON CONFLICT (call_id) DO NOTHING',
        [toolCall.callId, orderId],
      );
      return { orderId, refunded: true };
    },
  });
  const billing = new Agent({
    name: 'Billing',
    model,
    handoffDescription: 'Refunds and invoices',
    instructions: 'You help with refunds. Look at the order before you refund it.',
    tools: [getOrder, refundOrder],
  });
  const triage = new Agent({
    name: 'Triage',
    model,
    instructions: 'You help with orders. Hand over to Billing for refunds.',
    tools: [getOrder],
    handoffs: [billing],
  });
  return { Triage: triage, Billing: billing };
}
