import { Agent } from '@openai/agents';

export const agent = new Agent({ name: 'Support', model: 'gpt-5.4', instructions: 'You help with orders.' });
