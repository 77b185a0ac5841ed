/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_ACTIONS_TEXT_H
#define XVS_OPENFLOW_OF_ACTIONS_TEXT_H 1

/* What the printer and the parser of actions share: the table of names. */

#include "openflow/of-actions.h"

/* What stands behind an action's name, and in which struct it is kept. */
enum of_act_arg {
    OF_ARG_OWN,   /* whatever: functions of their own print and parse it */
    OF_ARG_NONE,  /* nothing; of_act */
    OF_ARG_DEC,   /* ":%u"; this and the next ones of_act_num */
    OF_ARG_PAREN, /* "(%u)" */
    OF_ARG_HEX,   /* ":0x%x", zero as "0" */
    OF_ARG_HEX4,  /* ":0x%04x" */
    OF_ARG_IPV4,  /* ":10.0.0.1" */
    OF_ARG_TABLE, /* ":5", or a table's name */
    OF_ARG_VLAN,  /* ":%u" in of_act_vlan */
    OF_ARG_ETH,   /* ":00:…" in of_act_eth */
};
struct of_act_name {
    const char *name;
    uint8_t type; /* enum of_act_type */
    uint8_t form; /* as of_act_text_form() tells */
    uint8_t arg;  /* enum of_act_arg */
    uint64_t max;
};
/* Which of a type's names an action goes by: its form, but for some that have none. */
unsigned of_act_text_form(const struct of_act *);
/* The name to print; never NULL for a valid type. */
const struct of_act_name *of_act_name_by_type(enum of_act_type, unsigned form);
/* By any spelling, letter case ignored; NULL if there is none. */
const struct of_act_name *of_act_name_find(const char *name, size_t len);

/* "no_match"; NULL for what is no reason. */
const char *of_packet_in_reason_name(unsigned reason);
#define OF_MP_ALGORITHMS 4
extern const char *const of_multipath_algorithms[OF_MP_ALGORITHMS];
extern const char *const of_bundle_algorithms[2];

/* A value of a field; ports by their names, if there are any. */
void of_act_value_format(enum of_field, const struct of_value *value,
                         const struct of_value *mask, const struct of_names *, struct strbuf *);
/* "learn(table=1,…)". */
void of_act_learn_format(const struct of_act_learn *, const struct of_names *, struct strbuf *);

/* -- Parsing. -- */

struct of_act_parser {
    struct of_actions *out;
    int (*port)(const char *name, void *aux); /* may be NULL */
    void *aux;
    char **errp;
    unsigned depth; /* of nesting */
};
/* Cuts the next piece off `*p`, up to one of `separators` outside of parentheses and quotes.
 * NULL when there is none left.  Separators in front are skipped. */
char *of_act_token(char **p, const char *separators);
/* Cuts `text` in two at `sep` (the last one): returns what is behind, or NULL with a sentence.
 */
char *of_act_cut(struct of_act_parser *, char *text, const char *sep);
/* Numbers and parts of fields that must be all of `text`; false with a sentence. */
bool of_act_parse_num(struct of_act_parser *, const char *text, uint64_t max, uint64_t *);
bool of_act_parse_subfield(struct of_act_parser *, const char *text, struct of_subfield *);
bool of_act_parse_port(struct of_act_parser *, const char *text, uint16_t *);
/* A number that fits in `n_bits`, right-aligned in 16 bytes. */
bool
of_act_parse_bits(struct of_act_parser *, const char *text, unsigned n_bits, struct of_value *);
/* A value for all of a field. */
bool of_act_parse_value(struct of_act_parser *, enum of_field, const char *text,
                        struct of_value *value, struct of_value *mask);
/* Parses a list and appends it.  `nested`: inside of clone and write_actions. */
bool of_act_parse_list(struct of_act_parser *, char *text, bool nested);
/* Actions with arguments of their own; `arg` may be changed. */
bool of_act_parse_own(struct of_act_parser *, const struct of_act_name *, char *arg);
bool of_act_parse_learn(struct of_act_parser *, char *arg);
bool of_act_parse_output(struct of_act_parser *, char *arg);
bool of_act_parse_controller(struct of_act_parser *, char *arg);
bool of_act_parse_bundle(struct of_act_parser *, char *arg, bool load);
bool of_act_parse_multipath(struct of_act_parser *, char *arg);

#endif
