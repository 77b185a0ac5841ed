/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_read(): from the rows of the database to plain structs, also from absurd rows. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include "ovsdb/client-private.h"
#include "util/strbuf.h"
#include "vswitchd/bridge/cfg-openflow.c"
#include "vswitchd/bridge/cfg.c"
#include "vswitchd/bridge/snapshot-openflow.c"
#include "vswitchd/bridge/snapshot.c"

#define STRING "{\"type\":\"string\"}"
#define INTEGER "{\"type\":\"integer\"}"
#define BOOLEAN "{\"type\":\"boolean\"}"
#define OPT(T) "{\"type\":{\"key\":\"" T "\",\"min\":0,\"max\":1}}"
#define SET(T) "{\"type\":{\"key\":\"" T "\",\"min\":0,\"max\":\"unlimited\"}}"
#define MAP                                                                                    \
    "{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}}"

/* clang-format off */
static const char schema_text[] =
    "{\"name\":\"Open_vSwitch\",\"version\":\"8.3.1\",\"tables\":{"
    "\"Open_vSwitch\":{\"columns\":{\"bridges\":" SET("uuid") ",\"ssl\":" OPT("uuid")
    ",\"next_cfg\":" INTEGER ",\"other_config\":" MAP "}},"
    "\"Bridge\":{\"columns\":{\"name\":" STRING ",\"ports\":" SET("uuid")
    ",\"datapath_type\":" STRING ",\"fail_mode\":" OPT("string") ",\"controller\":" SET("uuid")
    ",\"flood_vlans\":" SET("integer") ",\"other_config\":" MAP "}},"
    "\"Port\":{\"columns\":{\"name\":" STRING ",\"interfaces\":" SET("uuid")
    ",\"tag\":" OPT("integer") ",\"trunks\":" SET("integer") ",\"cvlans\":" SET("integer") ",\"vlan_mode\":" OPT("string")
    ",\"protected\":" BOOLEAN ",\"mac\":" OPT("string") ",\"other_config\":" MAP "}},"
    "\"Interface\":{\"columns\":{\"name\":" STRING ",\"type\":" STRING ",\"options\":" MAP
    ",\"other_config\":" MAP ",\"ofport\":" OPT("integer") ",\"ofport_request\":" OPT("integer")
    ",\"mtu_request\":" OPT("integer") ",\"mac\":" OPT("string")
    ",\"mac_in_use\":" OPT("string") "}},"
    "\"SSL\":{\"columns\":{\"private_key\":" STRING ",\"certificate\":" STRING
    ",\"ca_cert\":" STRING ",\"bootstrap_ca_cert\":" BOOLEAN "}}}}";
/* clang-format on */

static struct ovsdb_client db;

static int
set_up(void **state)
{
    char *error = NULL;
    bool changed;
    json_t *schema = json_loads(schema_text, 0, NULL);
    assert_non_null(schema);
    db.db = replica_create(&snapshot_spec);
    assert_true(replica_set_schema(db.db, schema, &changed, &error));
    json_decref(schema);
    return 0;
}

static int
tear_down(void **state)
{
    replica_destroy(db.db);
    db.db = NULL;

    return 0;
}

/* A row's identity from a letter and a digit: "b1" is b1b1b1b1-.... */
static const char *
uuid(const char *id)
{
    static char texts[8][37];
    static unsigned next;
    char *text = texts[next++ % 8];
    for (int i = 0; i < 36; i++) {
        text[i] = i == 8 || i == 13 || i == 18 || i == 23 ? '-' : id[i % 2];
    }
    text[36] = '\0';
    return text;
}

/* Inserts one row; `columns` is JSON with ' for ", and <b1> for ["uuid","..."]. */
static void
insert(const char *table, const char *id, const char *columns)
{
    struct strbuf s = STRBUF_INIT;
    strbuf_putf(&s, "{\"%s\":{\"%s\":{\"insert\":{", table, uuid(id));
    for (const char *p = columns; *p; p++) {
        if (*p == '\'') {
            strbuf_putc(&s, '"');
        } else if (*p == '<') {
            strbuf_putf(&s, "[\"uuid\",\"%s\"]", uuid(p + 1));
            p += 3;
        } else {
            strbuf_putc(&s, *p);
        }
    }
    strbuf_puts(&s, "}}}}");
    json_error_t where;
    json_t *update = json_loads(strbuf_cstr(&s), 0, &where);
    if (!update) {
        fail_msg("%s in %s", where.text, strbuf_cstr(&s));
    }
    char *error = NULL;
    if (!replica_apply(db.db, REPLICA_UPDATE2, update, false, &error)) {
        fail_msg("%s: %s", error, strbuf_cstr(&s));
    }
    json_decref(update);
    strbuf_free(&s);
}

/* br0 with port p1 of interface i1, all else default. */
static void
insert_bridge(void)
{
    insert("Open_vSwitch", "a1", "'bridges':<b1>,'next_cfg':4");
    insert("Bridge", "b1", "'name':'br0','datapath_type':'netdev','ports':<c1>");
}

static bool
complains(const struct cfg *cfg, const char *part)
{
    const struct smap_node *node;
    SMAP_FOR_EACH(node, &cfg->complaints)
    {
        if (strstr(node->key, part)) {
            return true;
        }
    }
    return false;
}

static void
test_empty_database(void **state)
{
    struct cfg *cfg = snapshot_read(&db);
    assert_null(cfg->root_uuid);
    assert_int_equal(cfg->n_bridges, 0);
    cfg_destroy(cfg);
}

static void
test_everything(void **state)
{
    insert("Open_vSwitch", "a1",
           "'bridges':<b1>,'next_cfg':9,'ssl':<d1>,'other_config':['map',[['smc-enable','true']"
           "]]");
    insert("SSL", "d1",
           "'private_key':'/k','certificate':'/c','ca_cert':'/a',"
           "'bootstrap_ca_cert':true");
    insert("Bridge", "b1",
           "'name':'br0','datapath_type':'dummy','fail_mode':'secure','controller':<e1>,"
           "'flood_vlans':['set',[10,20]],'ports':<c1>,'other_config':['map',["
           "['hwaddr','00:01:02:03:04:05'],['datapath-id','00000000000000ff'],"
           "['mac-aging-time','5'],['mac-table-size','1'],['forward-bpdu','true']]]");
    insert("Port", "c1",
           "'name':'p1','interfaces':<f1>,'tag':7,'trunks':['set',[1,4095]],'cvlans':['set',[0,"
           "9]],"
           "'vlan_mode':'native-untagged','protected':true,"
           "'other_config':['map',[['priority-tags','true'],['qinq-ethtype','802.1q']]]");
    insert("Interface", "f1",
           "'name':'p1','type':'afxdp','options':['map',[['n_rxq','2']]],'ofport':3,"
           "'ofport_request':5,'mtu_request':9000,'mac':'00:aa:bb:cc:dd:ee'");
    struct cfg *cfg = snapshot_read(&db);
    assert_int_equal(cfg->next_cfg, 9);
    assert_string_equal(smap_get(&cfg->other_config, "smc-enable"), "true");
    assert_string_equal(cfg->ssl_key, "/k");
    assert_true(cfg->ssl_bootstrap);
    const struct cfg_bridge *br = cfg_bridge_find(cfg, "br0");
    assert_non_null(br);
    assert_string_equal(br->uuid, uuid("b1"));
    assert_string_equal(br->datapath_type, "dummy");
    assert_true(br->secure && br->has_controller && br->has_hwaddr && br->forward_bpdu);
    assert_true(br->datapath_id == 0xff);
    assert_int_equal(br->mac_age_s, 15);
    assert_int_equal(br->mac_table_size, 10);
    assert_true(bitmap_test(br->flood_vlans, 10) && !bitmap_test(br->flood_vlans, 11));
    const struct cfg_port *port = cfg_port_find(br, "p1");
    assert_non_null(port);
    assert_int_equal(port->set.vlan_mode, VLAN_MODE_NATIVE_UNTAGGED);
    assert_int_equal(port->set.tag, 7);
    assert_true(port->set.has_cvlans && bitmap_test(port->set.cvlans, 0) &&
                bitmap_test(port->set.cvlans, 9) && !bitmap_test(port->set.cvlans, 1));
    assert_true(port->set.has_trunks && bitmap_test(port->set.trunks, 4095) &&
                bitmap_test(port->set.trunks, 7) && !bitmap_test(port->set.trunks, 2));
    assert_int_equal(port->set.priority_tags, PRIORITY_TAGS_IF_NONZERO);
    assert_true(port->set.protected_port && !port->set.qinq_8021ad);
    const struct cfg_iface *iface = cfg_iface_find(br, "p1");
    assert_non_null(iface);
    assert_null(iface->error);
    assert_string_equal(iface->type, "afxdp");
    assert_string_equal(smap_get(&iface->options, "n_rxq"), "2");
    assert_int_equal(iface->ofport_hint, 3);
    assert_int_equal(iface->ofport_request, 5);
    assert_int_equal(iface->mtu_request, 9000);
    assert_true(iface->has_mac && eth_addr_to_u64(iface->mac) == 0x00aabbccddeeULL);
    /* The bridge's own port, which the database lacks. */
    iface = cfg_iface_find(br, "br0");
    assert_non_null(iface);
    assert_null(iface->uuid);
    assert_true(iface->is_local && iface->is_internal);
    assert_int_equal(cfg->complaints.n, 0);
    cfg_destroy(cfg);
}

static void
test_vlan_defaults(void **state)
{
    insert_bridge();
    insert("Port", "c1", "'name':'p1','interfaces':<f1>,'tag':7");
    insert("Interface", "f1", "'name':'p1'");
    struct cfg *cfg = snapshot_read(&db);
    const struct cfg_port *port = cfg_port_find(cfg->bridges[0], "p1");
    assert_int_equal(port->set.vlan_mode, VLAN_MODE_ACCESS);
    assert_int_equal(port->set.tag, 7);
    assert_false(port->set.has_trunks);
    assert_true(port->set.qinq_8021ad);
    cfg_destroy(cfg);
}

static void
test_bad_values(void **state)
{
    insert("Open_vSwitch", "a1",
           "'bridges':<b1>,'other_config':['map',[['flow-limit','many'],['max-idle','1']]]");
    insert("Bridge", "b1",
           "'name':'br0','ports':<c1>,'flood_vlans':['set',[-1,5000]],"
           "'other_config':['map',[['hwaddr','01:00:00:00:00:00'],"
           "['datapath-id','xyz'],['mac-aging-time','x']]]");
    insert("Port", "c1",
           "'name':'p1','interfaces':<f1>,'tag':4096,'trunks':['set',[4096,-5]],"
           "'vlan_mode':'sideways',"
           "'other_config':['map',[['priority-tags','yes'],['qinq-ethtype','x']]]");
    insert("Interface", "f1",
           "'name':'p1','ofport':-1,'ofport_request':70000,'mtu_request':3,"
           "'mac':'nonsense','mac_in_use':'?'");
    struct cfg *cfg = snapshot_read(&db);
    const struct cfg_bridge *br = cfg->bridges[0];
    assert_false(br->has_hwaddr);
    assert_true(br->datapath_id == 0);
    assert_int_equal(br->mac_age_s, 300);
    const struct cfg_port *port = cfg_port_find(br, "p1");
    assert_int_equal(port->set.vlan_mode, VLAN_MODE_TRUNK);
    assert_false(port->set.has_trunks);
    const struct cfg_iface *iface = cfg_iface_find(br, "p1");
    assert_null(iface->error);
    assert_int_equal(iface->ofport_hint, 0);
    assert_int_equal(iface->ofport_request, 0);
    assert_int_equal(iface->mtu_request, 0);
    assert_false(iface->has_mac);
    assert_true(complains(cfg, "tag 4096"));
    assert_true(complains(cfg, "trunk -5"));
    assert_true(complains(cfg, "hwaddr"));
    assert_true(complains(cfg, "datapath-id \"xyz\""));
    assert_true(complains(cfg, "mtu_request 3"));
    assert_true(complains(cfg, "Open_vSwitch: other_config:flow-limit=many is not a number"));
    assert_false(complains(cfg, "max-idle"));
    assert_true(complains(cfg, "br0: other_config:mac-aging-time=x is not a number"));
    assert_true(complains(cfg, "p1: other_config:priority-tags=yes is not understood"));
    assert_true(complains(cfg, "p1: other_config:qinq-ethtype=x is not understood"));
    cfg_destroy(cfg);
}

static void
test_impossible_names(void **state)
{
    insert("Open_vSwitch", "a1", "'bridges':['set',[<b1>,<b2>]]");
    insert("Bridge", "b1", "'name':'br0','ports':<c1>");
    insert("Bridge", "b2", "'name':'a b','ports':<c2>");
    insert("Port", "c1", "'name':'p/1','interfaces':<f1>");
    insert("Port", "c2", "'name':'p2','interfaces':<f2>");
    insert("Interface", "f1", "'name':'p/1'");
    insert("Interface", "f2", "'name':'p2'");
    struct cfg *cfg = snapshot_read(&db);
    assert_int_equal(cfg->n_bridges, 1);
    const struct cfg_iface *iface = cfg_iface_find(cfg->bridges[0], "p/1");
    assert_non_null(iface);
    assert_string_equal(iface->error, "interface \"p/1\" cannot be: its name has a slash");
    assert_string_equal(
        smap_get(&cfg->rejected, uuid("f2")),
        "bridge \"a b\" cannot be: its name has a space or a control character");
    assert_true(complains(cfg, "bridge \"a b\" cannot be"));
    cfg_destroy(cfg);
}

static void
test_dangling_and_empty(void **state)
{
    insert("Open_vSwitch", "a1", "'bridges':['set',[<b1>,<b2>,<b3>]]");
    insert("Bridge", "b1", "'name':'br0','ports':['set',[<c1>,<c2>,<c3>]]");
    insert("Bridge", "b3", "'name':'../evil'");
    insert("Port", "c1", "'name':'p1'");
    insert("Port", "c2", "'name':'p2','interfaces':['set',[<f9>]]");
    struct cfg *cfg = snapshot_read(&db);
    assert_int_equal(cfg->n_bridges, 1);
    assert_int_equal(cfg->bridges[0]->n_ports, 1); /* its own */
    assert_true(complains(cfg, "port p1 has no interfaces"));
    assert_true(complains(cfg, "../evil"));
    cfg_destroy(cfg);
}

/* Two ports that claim one interface: it works in one, and only that one reports to the row. */
static void
test_shared_interface(void **state)
{
    insert("Open_vSwitch", "a1", "'bridges':['set',[<b1>,<b2>]]");
    insert("Bridge", "b1", "'name':'br0','ports':['set',[<c1>,<c2>]]");
    insert("Bridge", "b2", "'name':'br1','ports':['set',[<c3>]]");
    insert("Port", "c1", "'name':'p1','interfaces':<f1>");
    insert("Port", "c2", "'name':'p2','interfaces':<f1>");
    insert("Port", "c3", "'name':'p3','interfaces':['set',[<f1>]]");
    insert("Interface", "f1", "'name':'eth1'");
    struct cfg *cfg = snapshot_read(&db);
    unsigned working = 0, reporting = 0;
    for (size_t i = 0; i < cfg->n_bridges; i++) {
        for (size_t j = 0; j < cfg->bridges[i]->n_ifaces; j++) {
            const struct cfg_iface *iface = cfg->bridges[i]->ifaces[j];
            if (!iface->is_local) {
                working += !iface->error;
                reporting += iface->uuid != NULL;
            }
        }
    }
    assert_int_equal(working, 1);
    assert_int_equal(reporting, 1);
    assert_true(complains(cfg, "interface eth1 is already in bridge br0"));
    cfg_destroy(cfg);
}

static void
test_name_of_another_bridge(void **state)
{
    insert("Open_vSwitch", "a1", "'bridges':['set',[<b1>,<b2>]]");
    insert("Bridge", "b1", "'name':'br0','ports':<c1>");
    insert("Bridge", "b2", "'name':'br1'");
    insert("Port", "c1", "'name':'br1','interfaces':<f1>");
    insert("Interface", "f1", "'name':'br1','type':'internal'");
    struct cfg *cfg = snapshot_read(&db);
    assert_non_null(cfg_iface_find(cfg_bridge_find(cfg, "br0"), "br1")->error);
    assert_null(cfg_iface_find(cfg_bridge_find(cfg, "br1"), "br1")->error);
    cfg_destroy(cfg);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_empty_database),   TEST(test_everything),
        TEST(test_vlan_defaults),    TEST(test_bad_values),
        TEST(test_impossible_names), TEST(test_dangling_and_empty),
        TEST(test_shared_interface), TEST(test_name_of_another_bridge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
