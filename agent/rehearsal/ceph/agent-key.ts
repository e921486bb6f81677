/** As whom the agents of a stage come. */
export const CLIENT = 'client.understudy';
/** Clients that documents may be about there. */
export const CLIENTS = 'client.site-*';
